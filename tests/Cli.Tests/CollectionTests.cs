using System.Text.Json;
using ImageStore.Cli.Tests.Support;

namespace ImageStore.Cli.Tests;

/// <summary><c>gc</c>, <c>why</c>, <c>lease</c> and pins.</summary>
public sealed class CollectionTests : IAsyncDisposable
{
    private readonly Workbench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Rm_LastName_TakesTheBlobsAlong()
    {
        var image = await _bench.StoredAsync();
        await _bench.OkAsync("images", "tag", image.Reference, "other");
        Assert.Contains("removed nothing", (await _bench.RunAsync("images", "rm", "other")).Error, StringComparison.Ordinal);

        var removed = await _bench.RunAsync("images", "rm", image.Reference);

        Assert.Equal(image.Reference + "\n", removed.Output);
        Assert.StartsWith("removed 3 blobs; ", removed.Error, StringComparison.Ordinal);
        Assert.Equal("[]\n", await _bench.OkAsync("--format", "json", "content", "ls"));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_bench.Root, "content", "blobs", "sha256")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rm_SnapshotOfManyFiles_GoesAtOnceAndItsFilesSoon(bool sync)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        var layout = await ManyFilesAsync();
        await _bench.OkAsync("import", "--name", "many:1", layout);
        await _bench.OkAsync("unpack", "--snapshotter", "native", "many:1");
        var snapshots = Path.Combine(_bench.Root, "snapshots", "native");
        Assert.Single(Directory.GetDirectories(snapshots));

        var removed = await _bench.RunAsync(sync ? ["images", "rm", "--sync", "many:1"] : ["images", "rm", "many:1"]);

        Assert.Equal(0, removed.ExitCode);
        Assert.Equal(!sync, removed.Error.Contains("in the background", StringComparison.Ordinal));
        Assert.Equal("[]\n", await _bench.OkAsync("--format", "json", "snapshots", "ls"));
        if (sync)
        {
            Assert.Empty(Directory.GetDirectories(snapshots));
        }

        while (Directory.GetDirectories(snapshots).Length > 0)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    // More than a command deletes before it returns.
    private async Task<string> ManyFilesAsync()
    {
        var layout = _bench.In("layout");
        var made = await _bench.BashAsync(
            $"""
            set -e
            mkdir -p {layout}.d/files && cd {layout}.d && seq 3000 | sed s,^,files/, | xargs touch
            umoci init --layout {layout} && umoci new --image {layout}:1
            umoci insert --image {layout}:1 files /files
            """);
        Assert.True(made.ExitCode == 0, made.Error);
        return layout;
    }

    [Fact]
    public async Task Gc_DryRun_TellsWhatGcDoes()
    {
        var image = await _bench.StoredAsync();
        await _bench.OkAsync("images", "rm", "--no-gc", image.Reference);

        var plan = await _bench.OkAsync("gc", "--dry-run");
        Assert.Contains($"default  content {image.Layer.Digest}", plan, StringComparison.Ordinal);
        Assert.Contains("would remove 3 blobs", plan, StringComparison.Ordinal);
        using var done = JsonDocument.Parse(await _bench.OkAsync("--format", "json", "gc"));

        Assert.Equal(3, done.RootElement.GetProperty("removed").GetArrayLength());
        Assert.Equal("removed nothing; 0 B freed\n", await _bench.OkAsync("gc"));
    }

    [Fact]
    public async Task Why_ShowsTheChain_AndThatNothingKeepsIt()
    {
        var image = await _bench.StoredAsync();
        var layer = image.Layer.Digest.ToString();

        Assert.Equal(
            $"image {image.Reference}\n  content {image.Manifest.Digest}\n    content {layer}\n", await _bench.OkAsync("why", layer));
        await _bench.OkAsync("images", "rm", "--no-gc", image.Reference);
        Assert.StartsWith("Nothing keeps it", await _bench.OkAsync("why", layer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lease_KeepsUntilItEnds()
    {
        var image = await _bench.StoredAsync();
        Assert.Equal("keep\n", await _bench.OkAsync("lease", "create", "keep", "--expires", "1h", "--label", "team=a"));
        await _bench.OkAsync("lease", "add", "keep", $"content:{image.Manifest.Digest}");
        await _bench.OkAsync("images", "rm", image.Reference);

        using var listed = JsonDocument.Parse(await _bench.OkAsync("--format", "json", "lease", "ls"));
        Assert.Equal("a", listed.RootElement[0].GetProperty("lease").GetProperty("labels").GetProperty("team").GetString());
        Assert.StartsWith("lease keep\n", await _bench.OkAsync("why", image.Layer.Digest.ToString()), StringComparison.Ordinal);
        await _bench.OkAsync("lease", "rm", "keep");
        Assert.Contains("removed 3 blobs", await _bench.OkAsync("gc"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pin_KeepsTheName_AndNotItsCopies()
    {
        var image = await _bench.StoredAsync();
        await _bench.OkAsync("images", "pin", image.Reference);
        await _bench.OkAsync("images", "tag", image.Reference, "other");

        var refused = await _bench.RunAsync("images", "rm", "other", image.Reference);
        Assert.Equal(5, refused.ExitCode);
        Assert.Contains("images unpin", refused.Error, StringComparison.Ordinal);
        await _bench.OkAsync("images", "rm", "other");
        await _bench.OkAsync("images", "unpin", image.Reference);
        await _bench.OkAsync("images", "rm", image.Reference);
        Assert.Equal("[]\n", await _bench.OkAsync("--format", "json", "content", "ls"));
    }
}
