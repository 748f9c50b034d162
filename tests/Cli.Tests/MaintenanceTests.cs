using System.Text.Json;
using ImageStore.Cli.Tests.Support;

namespace ImageStore.Cli.Tests;

/// <summary><c>fsck</c>, <c>maintain</c> and <c>config</c>.</summary>
public sealed class MaintenanceTests : IAsyncDisposable
{
    private readonly Workbench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Fsck_DamagedBlob_IsToldOf_PutAside_AndFetchedAgain()
    {
        var image = await _bench.StoredAsync();
        Assert.EndsWith("no damage\n", await _bench.OkAsync("fsck"), StringComparison.Ordinal);
        await DamageAsync(image);

        var found = await _bench.RunAsync("fsck");
        Assert.Equal(11, found.ExitCode);
        Assert.Contains(image.Layer.Digest.ToString(), found.Output, StringComparison.Ordinal);
        Assert.Contains("fsck --repair", found.Error, StringComparison.Ordinal);
        Assert.Contains("repaired", await _bench.OkAsync("fsck", "--repair"), StringComparison.Ordinal);

        await _bench.OkAsync("content", "get", image.Layer.Digest.ToString());
        Assert.Single(Directory.EnumerateFileSystemEntries(Path.Combine(_bench.Root, "quarantine")), path => Path.GetFileName(path) != "log");
    }

    [Fact]
    public async Task Fsck_AsJson_HasWhatItFound_AlsoWhenItFails()
    {
        var image = await _bench.StoredAsync();
        await DamageAsync(image);

        var found = await _bench.RunAsync("--format", "json", "fsck");

        Assert.Equal(11, found.ExitCode);
        using var report = JsonDocument.Parse(found.Output);
        Assert.Equal(image.Layer.Digest.ToString(), report.RootElement.GetProperty("findings")[0].GetProperty("subject").GetString());
    }

    [Fact]
    public async Task Maintain_CollectsAndChecks_AndFailsWhereThereIsDamage()
    {
        var image = await _bench.StoredAsync();
        var other = await _bench.StoredAsync("other", 200);
        await _bench.OkAsync("images", "rm", "--no-gc", other.Reference);

        Assert.Contains("removed 3 blobs", await _bench.OkAsync("maintain"), StringComparison.Ordinal);
        await DamageAsync(image);
        File.Delete(Path.Combine(_bench.Root, "scrub.json"));
        var found = await _bench.RunAsync("maintain");

        Assert.Equal(11, found.ExitCode);
        Assert.Contains(image.Layer.Digest.ToString(), found.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MaintainWatch_CollectsAnExpiredLease_AndEndsWhenAskedTo()
    {
        await _bench.StoredAsync();
        await _bench.OkAsync("lease", "create", "short", "--expires", "1s");
        var script = await _bench.BashAsync(
            """
            "$BIN" --root "$ROOT" maintain --watch --no-scrub > "$ROOT.out" & pid=$!
            for ((i = 0; i < 300; i++)); do
              grep -q 'expired lease' "$ROOT.out" && break
              sleep 0.1
            done
            "$BIN" --root "$ROOT" lease ls | wc -l
            kill -TERM $pid; wait $pid; echo "ended $?"
            """);
        Assert.Equal("1\nended 143\n", script.Output);
    }

    [Fact]
    public async Task Config_OfTheRoot_IsReadByEveryVerb_AndAMistakeStopsIt()
    {
        var image = await _bench.StoredAsync();
        var path = Path.Combine(_bench.Root, "config.toml");
        await File.WriteAllTextAsync(path, await _bench.OkAsync("config", "default"), TestContext.Current.CancellationToken);
        Assert.Equal("the configuration is right\n", await _bench.OkAsync("config", "check"));
        await _bench.OkAsync("images", "ls");

        await File.WriteAllTextAsync(path, "[gc]\ninterval = \"soon\"\n", TestContext.Current.CancellationToken);
        foreach (var verb in (string[][])[["config", "check"], ["images", "ls"], ["images", "rm", image.Reference], ["fsck"]])
        {
            var refused = await _bench.RunAsync(verb);
            Assert.Equal(5, refused.ExitCode);
            Assert.Contains("config.toml, line 2: ", refused.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Config_Sharing_DecidesWhoGetsABlob()
    {
        var image = await _bench.StoredAsync();
        var config = _bench.In("shared.toml");
        await File.WriteAllTextAsync(config, "[content]\nsharing = \"shared\"\n", TestContext.Current.CancellationToken);
        _bench.Registry.Requests.Clear();

        await _bench.OkAsync("--config", config, "-n", "other", "--quiet", "pull", "--no-unpack", image.Reference);

        Assert.DoesNotContain(_bench.Registry.Requests, request => request.Target.Contains("/blobs/", StringComparison.Ordinal));
    }

    private async Task DamageAsync(TestImage image)
    {
        var path = Path.Combine(_bench.Root, "content/blobs/sha256", image.Layer.Digest.Hex);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Write);
        file.WriteByte(255);
    }
}
