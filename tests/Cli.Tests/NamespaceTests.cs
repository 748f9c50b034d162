using System.Text.Json;
using ImageStore.Cli.Tests.Support;

namespace ImageStore.Cli.Tests;

/// <summary><c>namespaces</c>, quotas and <c>du</c>.</summary>
public sealed class NamespaceTests : IAsyncDisposable
{
    private readonly Workbench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Rm_WhileAnythingIsLeft_IsRefused_AndPurgeTakesIt()
    {
        var image = await _bench.StoredAsync();
        await _bench.OkAsync("-n", "team", "--quiet", "pull", "--no-unpack", image.Reference);

        var refused = await _bench.RunAsync("namespaces", "rm", "team");
        Assert.Equal(5, refused.ExitCode);
        Assert.Contains("--purge", refused.Error, StringComparison.Ordinal);
        Assert.Equal("removed 1 image, 3 blobs; 0 B freed\n", (await _bench.RunAsync("namespaces", "rm", "--purge", "team")).Error);

        await _bench.OkAsync("content", "get", image.Layer.Digest.ToString());
        Assert.DoesNotContain("team", await _bench.OkAsync("namespaces", "ls"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("snapshots", "ls")]
    [InlineData("snapshots", "tree")]
    [InlineData("snapshots", "rm", "key")]
    [InlineData("images", "rm", "name")]
    [InlineData("images", "tag", "name", "other")]
    [InlineData("images", "pin", "name")]
    [InlineData("lease", "add", "id", "images:name")]
    [InlineData("lease", "rm", "id")]
    [InlineData("unmount", "/nowhere")]
    public async Task ASlipInTheName_MakesNoNamespace(params string[] command)
    {
        await _bench.StoredAsync();

        await _bench.RunAsync(["-n", "tema", .. command]);

        Assert.DoesNotContain("tema", await _bench.OkAsync("namespaces", "ls"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quota_IsSetShownAndKept()
    {
        await _bench.OkAsync("namespaces", "create", "team", "owner=alice", "--bytes", "150k", "--images", "1");
        var image = await _bench.StoredAsync("big", 200_000);

        var refused = await _bench.RunAsync("-n", "team", "--quiet", "pull", "--no-unpack", image.Reference);
        Assert.Equal(10, refused.ExitCode);
        Assert.Contains("namespaces quota", refused.Error, StringComparison.Ordinal);
        using var listed = JsonDocument.Parse(await _bench.OkAsync("--format", "json", "namespaces", "ls"));
        Assert.Equal("alice", listed.RootElement.EnumerateArray().Single(ns => ns.GetProperty("name").GetString() == "team")
            .GetProperty("labels").GetProperty("owner").GetString());

        await _bench.OkAsync("namespaces", "quota", "team", "--bytes", "none");
        await _bench.OkAsync("-n", "team", "--quiet", "pull", "--no-unpack", image.Reference);
        var second = await _bench.StoredAsync("second");
        Assert.Equal(10, (await _bench.RunAsync("-n", "team", "--quiet", "pull", "--no-unpack", second.Reference)).ExitCode);
    }

    [Fact]
    public async Task Du_AddsUpToWhatTheDiskSays()
    {
        await _bench.StoredAsync("own", 300_000);
        var shared = await _bench.StoredAsync("shared", 200_000);
        await _bench.OkAsync("-n", "team", "--quiet", "pull", "--no-unpack", shared.Reference);
        if (Environment.IsPrivilegedProcess)
        {
            await _bench.OkAsync("unpack", shared.Reference);
        }

        using var usage = JsonDocument.Parse(await _bench.OkAsync("--format", "json", "du"));
        var disk = (await _bench.BashAsync("""du -s -B1 "$ROOT" | cut -f1""")).Output;

        var total = usage.RootElement.GetProperty("totalBytes").GetInt64();
        Assert.Equal(disk.Trim(), total.ToString());
        var parts = usage.RootElement.GetProperty("namespaces").EnumerateArray().Sum(ns =>
            ns.GetProperty("uniqueBytes").GetInt64() + ns.GetProperty("snapshotBytes").GetInt64() + ns.GetProperty("ingestBytes").GetInt64());
        Assert.Equal(total, parts + ((string[])["sharedBytes", "unclaimedBytes", "metadataBytes", "quarantineBytes", "otherBytes"])
            .Sum(name => usage.RootElement.GetProperty(name).GetInt64()));
        Assert.InRange(usage.RootElement.GetProperty("sharedBytes").GetInt64(), 200_000, 300_000);
    }
}
