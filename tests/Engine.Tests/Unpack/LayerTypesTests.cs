using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Configuration;
using ImageStore.Engine.Pull;
using ImageStore.Engine.Tests.Support;
using ImageStore.Engine.Unpack;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Tests.Unpack;

/// <summary>A layer is unpacked as what its bytes are, and who pulls it hears where its type says something else.</summary>
public sealed class LayerTypesTests : PullTest
{
    [Theory]
    [InlineData(MediaTypes.OciLayerGzip, LayerCompression.Gzip, null)]
    [InlineData(MediaTypes.OciLayerGzip, LayerCompression.Zstd, "is zstd")]
    [InlineData(MediaTypes.OciLayerZstd, LayerCompression.None, "is a plain tar")]
    [InlineData(MediaTypes.OciLayer, LayerCompression.Gzip, "says a plain tar")]
    [InlineData(MediaTypes.OciLayer, LayerCompression.None, null)]
    [InlineData(MediaTypes.DockerLayer, LayerCompression.Gzip, null)]
    [InlineData(MediaTypes.DockerLayer, LayerCompression.None, null)]
    [InlineData(MediaTypes.DockerLayerGzip, LayerCompression.None, "says gzip")]
    [InlineData(MediaTypes.DockerForeignLayer, LayerCompression.Gzip, null)]
    public void Disagreement_OfTypeAndBytes_IsSaid(string mediaType, LayerCompression actual, string? said)
    {
        var layer = new Descriptor { MediaType = mediaType, Digest = Digest.Compute([1]), Size = 1 };

        var disagreement = LayerTypes.Disagreement(layer, actual);

        Assert.Equal(said is null, disagreement is null);
        Assert.Contains(said ?? "", disagreement ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_TypeOfAnotherCompression_IsUnpackedAndSaid()
    {
        var tar = ImageBuilder.Tar("a", 1000);
        Registry.AddImage("latest", [Registry.AddBlob(ImageBuilder.Repository, tar, MediaTypes.OciLayerGzip)], [Digest.Compute(tar)]);
        await using var engine = await OpenAsync();
        var progress = new TransferProgress();

        var result = await engine.PullAsync(new PullRequest { Reference = Reference() }, progress, Ct);

        Assert.NotNull(result.ChainId);
        Assert.Contains("is a plain tar", Assert.Single(progress.Blobs.Select(blob => blob.Warning).OfType<string>()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_BeyondAConfiguredLimit_NamesItsKey()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 1000));
        var options = Options() with { Settings = new Settings { Layers = new LayerLimits { MaxPathBytes = 1, MaxUnpackedBytes = 100 } } };
        await using var engine = await StoreEngine.OpenAsync(options, Ct);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => PullAsync(engine, Reference()));

        Assert.Equal(ErrorKind.LimitExceeded, failure.Kind);
        Assert.Contains(LayerLimits.Keys.UnpackedBytes, failure.Remedy, StringComparison.Ordinal);
        await AssertWholeAsync(engine);
    }
}
