using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Pull;
using ImageStore.Engine.Tests.Support;
using ImageStore.Store.Errors;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Tests;

public sealed class QuotaTests : PullTest
{
    private const int LayerBytes = 200_000;

    [Fact]
    public async Task Pull_ThatWasInterrupted_GoesOnWithinTheQuota()
    {
        var tar = ImageBuilder.Tar("a", LayerBytes);
        Registry.AddImage("latest", tar);
        await using var engine = await LimitedAsync(bytes: LayerBytes * 3 / 2);
        var layer = ImageBuilder.Gzip(tar);
        var writer = await engine.Content.OpenWriterAsync($"layer-{Digest.Compute(layer)}", layer.Length, DigestAlgorithm.Sha256, Ct);
        writer.Write(layer.AsSpan(0, layer.Length * 9 / 10));
        await writer.DisposeAsync();

        await engine.PullAsync(new PullRequest { Reference = Reference(), Unpack = false }, new TransferProgress(), Ct);

        Assert.Single(engine.Images.List());
    }

    [Fact]
    public async Task Remove_OfANamespaceWithADownload_IsRefused()
    {
        await using var engine = await LimitedAsync(bytes: LayerBytes);
        await using (var writer = await engine.Content.OpenWriterAsync("half", 100, DigestAlgorithm.Sha256, Ct))
        {
            writer.Write(new byte[10]);
        }

        var refused = await Assert.ThrowsAsync<ImageStoreException>(() => engine.Namespaces.RemoveAsync("default", Ct));
        Assert.Contains("1 unfinished download", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, (await engine.PurgeAsync("default", Ct)).Ingests);
        Assert.Empty(engine.Namespaces.List());
    }

    [Fact]
    public async Task Pull_OfMoreThanTheQuota_IsRefusedBeforeAByteOfALayerIsAskedFor()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", LayerBytes));
        await using var engine = await LimitedAsync(bytes: LayerBytes / 2);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => PullAsync(engine, Reference()));

        Assert.Equal(ErrorKind.NoSpace, failure.Kind);
        Assert.Contains("default", failure.Message, StringComparison.Ordinal);
        Assert.Contains("namespaces quota", failure.Remedy, StringComparison.Ordinal);
        Assert.Equal(0, RequestsFor("/blobs/"));
        Assert.Empty(engine.Images.List());
    }

    [Fact]
    public async Task Pull_WhoseUnpackedFilesDoNotFit_KeepsBlobsAndNoHalfSnapshot()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", LayerBytes));
        await using var engine = await LimitedAsync(bytes: LayerBytes * 3 / 2);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => PullAsync(engine, Reference()));

        Assert.Equal(ErrorKind.NoSpace, failure.Kind);
        Assert.Empty(await Snapshots(engine));
        await AssertWholeAsync(engine);

        await engine.Namespaces.SetQuotaAsync("default", new NamespaceQuota(LayerBytes * 3, null), Ct);
        Registry.Requests.Clear();
        await PullAsync(engine, Reference());
        Assert.Single(await Snapshots(engine));
    }

    [Fact]
    public async Task Pull_WhoseLayerIsLargerThanItSaid_StopsAtTheQuotaOrBefore()
    {
        var layer = ImageBuilder.Gzip(ImageBuilder.Tar("a", LayerBytes));
        var lie = new Descriptor { MediaType = MediaTypes.OciLayerGzip, Digest = Digest.Compute(layer), Size = 100 };
        Registry.AddBlob(ImageBuilder.Repository, layer);
        Registry.AddImage("latest", [lie], [Digest.Compute("x"u8)]);
        await using var engine = await LimitedAsync(bytes: 10_000);

        await Assert.ThrowsAsync<ImageStoreException>(() => PullAsync(engine, Reference()));

        Assert.True(engine.Content.ListIngests().Sum(ingest => ingest.Offset) <= 10_000);
    }

    [Fact]
    public async Task Pull_OfWhatOthersHave_CountsInFull()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", LayerBytes));
        await PullAsync();
        await using var engine = await OpenAsync(ns: "other");
        await engine.Namespaces.SetQuotaAsync("other", new NamespaceQuota(LayerBytes / 2, null), Ct);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => PullAsync(engine, Reference()));

        Assert.Equal(ErrorKind.NoSpace, failure.Kind);
    }

    [Fact]
    public async Task Name_MoreImagesThanTheQuota_IsRefused_AndMovingANameIsNot()
    {
        Registry.AddImage("one", ImageBuilder.Tar("a", 10));
        Registry.AddImage("two", ImageBuilder.Tar("b", 20));
        await using var engine = await LimitedAsync(images: 1);
        await PullAsync(engine, Reference("one"));

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => PullAsync(engine, Reference("two")));

        Assert.Equal(ErrorKind.NoSpace, failure.Kind);
        Assert.Single(engine.Images.List());
        Registry.AddImage("one", ImageBuilder.Tar("c", 30));
        await PullAsync(engine, Reference("one"));
        await engine.Images.RemoveAsync(engine.Images.List()[0].Name, Ct);
        await PullAsync(engine, Reference("two"));
    }

    [Fact]
    public async Task Write_BlobsSideBySide_TogetherStayWithinTheQuota()
    {
        await using var engine = await LimitedAsync(bytes: LayerBytes * 5);
        List<Descriptor> layers = [];
        for (var i = 0; i < 12; i++)
        {
            layers.Add(Registry.AddBlob(ImageBuilder.Repository, ImageBuilder.Gzip(ImageBuilder.Tar($"{i}", LayerBytes + i))));
        }

        var results = await Task.WhenAll(layers.Select(layer => Task.Run(async () =>
        {
            try
            {
                await using var writer = await engine.Content.OpenWriterAsync($"layer-{layer.Digest}", layer.Size, DigestAlgorithm.Sha256, Ct);
                writer.Write(Registry.Find($"/v2/{ImageBuilder.Repository}/blobs/{layer.Digest}"));
                await writer.CommitAsync(layer, ImageStore.Store.Labels.None, null, Ct);
                return true;
            }
            catch (ImageStoreException refused) when (refused.Kind == ErrorKind.NoSpace)
            {
                return false;
            }
        })));

        Assert.Equal(4, results.Count(done => done));
        Assert.True(engine.Content.List().Sum(blob => blob.Size) <= LayerBytes * 5);
        await AssertWholeAsync(engine);
    }

    private async Task<StoreEngine> LimitedAsync(long? bytes = null, int? images = null)
    {
        var engine = await OpenAsync();
        await engine.Namespaces.SetQuotaAsync("default", new NamespaceQuota(bytes, images), Ct);
        return engine;
    }
}
