using System.Text.Json.Nodes;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Commit;
using ImageStore.Engine.Rebase;
using ImageStore.Engine.Tests.Support;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Tests.Rebase;

/// <summary>An image made here, put onto a newer base.</summary>
public sealed class RebaseTests : PullTest
{
    private string Mounted => In("mnt");

    [Fact]
    public async Task Rebase_ByAnnotations_TakesTheNewBaseAndTheImagesOwnLayers()
    {
        await using var engine = await MadeAsync();
        var before = engine.Content.List().Count;

        var made = await engine.RebaseAsync(new RebaseRequest { Image = "made:1", Name = "made:2" }, Ct);

        Assert.Equal((1, 2, 1), (made.OldBaseLayers, made.NewBaseLayers, made.KeptLayers));
        Assert.Equal(before + 2, engine.Content.List().Count);
        Assert.Empty(engine.Leases.List());
        await AssertWholeAsync(engine);
        var manifest = await JsonAsync(engine, made.Target.Digest);
        Assert.Equal(engine.FindImage(Reference()).Target.Digest.ToString(), manifest["annotations"]!["org.opencontainers.image.base.digest"]!.ToString());
        var config = await JsonAsync(engine, Digest.Parse(manifest["config"]!["digest"]!.ToString()));
        Assert.Equal(3, config["history"]!.AsArray().Count);
        Assert.Equal("""["A=b"]""", config["config"]!["Env"]!.ToJsonString());

        await engine.UnpackAsync("made:2", null, null, new TransferProgress(), Ct);
        await engine.MountAsync("made:2", Mounted, readWrite: false, null, null, Ct);
        Assert.Equal(["newer", "newest", "own"], Directory.GetFiles(Mounted).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        await engine.UnmountAsync(Mounted, null, Ct);
    }

    [Theory]
    [InlineData("made:1", "made:2", "ANOTHER", null, ErrorKind.FailedPrecondition)]
    [InlineData("made:1", "made:2", "nothing:1", null, ErrorKind.NotFound)]
    [InlineData("made:1", "made:2", null, "sha256:0000000000000000000000000000000000000000000000000000000000000000", ErrorKind.NotFound)]
    [InlineData("nothing:1", "made:2", null, null, ErrorKind.NotFound)]
    [InlineData("made:1", "M", null, null, ErrorKind.InvalidArgument)]
    [InlineData("ANOTHER", "made:2", null, null, ErrorKind.InvalidArgument)]
    public async Task Rebase_OfARequestThatIsWrong_IsRefusedAndLeavesNothing(
        string image, string name, string? oldBase, string? newBase, ErrorKind kind)
    {
        await using var engine = await MadeAsync();
        Registry.AddImage("another", ImageBuilder.Tar("another", 100));
        await PullAsync(engine, Reference("another"));
        var (blobs, images) = (engine.Content.List().Count, engine.Images.List().Count);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => engine.RebaseAsync(
            new RebaseRequest { Image = Named(image)!, Name = name, OldBase = Named(oldBase), NewBase = newBase }, Ct));

        Assert.Equal(kind, failure.Kind);
        Assert.NotNull(failure.Remedy);
        Assert.Equal((blobs, images), (engine.Content.List().Count, engine.Images.List().Count));
        Assert.Empty(engine.Leases.List());

        string? Named(string? text) => text == "ANOTHER" ? Reference("another") : text;
    }

    private async Task<StoreEngine> MadeAsync()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("old", 100));
        var engine = await OpenAsync();
        await PullAsync(engine, Reference());
        Directory.CreateDirectory(Mounted);
        await engine.MountAsync(Reference(), Mounted, readWrite: true, null, null, Ct);
        File.WriteAllText(Path.Combine(Mounted, "own"), "own");
        await engine.CommitAsync(new CommitRequest { Snapshot = Mounted, Name = "made:1", Changes = ["ENV A=b"] }, Ct);
        await engine.UnmountAsync(Mounted, null, Ct);
        Registry.AddImage("latest", ImageBuilder.Tar("newer", 100), ImageBuilder.Tar("newest", 100));
        await PullAsync(engine, Reference());
        return engine;
    }

    private static async Task<JsonNode> JsonAsync(StoreEngine engine, Digest digest)
    {
        await using var stream = engine.Content.OpenRead(digest);
        return (await JsonNode.ParseAsync(stream, cancellationToken: Ct))!;
    }
}
