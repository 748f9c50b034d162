using System.Text.Json.Nodes;
using ImageStore.Cli.Tests.Support;

namespace ImageStore.Cli.Tests;

/// <summary><c>diff</c>, <c>commit</c>, <c>rebase</c> and <c>snapshots prepare</c> as users see them.</summary>
public sealed class ChangeTests : IAsyncDisposable
{
    private const int WrongUsage = 2;
    private const int NotFound = 3;
    private const int NotSupported = 13;

    private readonly Workbench _bench = new();

    public ChangeTests() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");

    private string Mounted => _bench.In("mnt");

    public async ValueTask DisposeAsync()
    {
        await _bench.RunAsync("unmount", Mounted);
        await _bench.DisposeAsync();
    }

    [Fact]
    public async Task Diff_OfAMount_ListsItAndWritesItAsALayer()
    {
        await MountAsync();
        await File.WriteAllTextAsync(Path.Combine(Mounted, "new\u001bfile"), "new");
        File.Delete(Path.Combine(Mounted, TestImage.FileName));

        Assert.Equal($"D /{TestImage.FileName}\nA /new\\u001bfile\n", await _bench.OkAsync("diff", Mounted));
        var json = JsonNode.Parse(await _bench.OkAsync("diff", Mounted, "--format", "json"))!;
        Assert.Equal("Deleted", json[0]!["kind"]!.ToString());
        Assert.Equal($"/{TestImage.FileName}", json[0]!["path"]!.ToString());

        foreach (var (name, tool) in new[] { ("a.tar", "tar -t -f"), ("a.tar.gz", "tar -tz -f"), ("a.tar.zst", "tar --zstd -t -f") })
        {
            await _bench.OkAsync("diff", "-o", _bench.In(name), Mounted);
            var listed = await Shell.RunAsync("sh", ["-c", $"{tool} {_bench.In(name)}"]);
            Assert.True(listed.ExitCode == 0, listed.Error);
            Assert.Contains($".wh.{TestImage.FileName}", listed.Output, StringComparison.Ordinal);
        }

        var piped = await _bench.BashAsync($"\"$BIN\" --root \"$ROOT\" diff -o - --compression zstd:19 {Mounted} | zstd -d | tar -t");
        Assert.Contains($".wh.{TestImage.FileName}", piped.Output, StringComparison.Ordinal);
        Assert.Equal(string.Empty, piped.Error);
    }

    [Fact]
    public async Task Commit_OfAMount_NamesAnImageThatRebaseAndDiffTake()
    {
        var image = await MountAsync();
        await File.WriteAllTextAsync(Path.Combine(Mounted, "new"), "new");

        var made = JsonNode.Parse(await _bench.OkAsync(
            "commit", Mounted, "made:1", "--change", "CMD [\"/new\"]", "-m", "why", "--timestamp", "2026-01-02T03:04:05Z", "--format", "json"))!;
        Assert.Equal("docker.io/library/made:1", made["name"]!.ToString());
        Assert.Equal(image.Reference, made["base"]!.ToString());
        Assert.Equal("A /new\n", await _bench.OkAsync("diff", "made:1", image.Reference));
        var rebased = await _bench.OkAsync("rebase", "made:1", "made:2", "--new-base", image.Reference, "--old-base", image.Reference);
        Assert.StartsWith("docker.io/library/made:2  sha256:", rebased, StringComparison.Ordinal);
        Assert.Contains("made:2", await _bench.OkAsync("images", "ls"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prepare_OfASnapshot_ShowsHowItIsMounted()
    {
        var image = await _bench.StoredAsync();
        Assert.Contains("upperdir=", await _bench.OkAsync("snapshots", "prepare", "--snapshotter", "overlayfs", "work", image.Reference), StringComparison.Ordinal);
        Assert.StartsWith("mount -t bind ", await _bench.OkAsync("snapshots", "prepare", "empty"), StringComparison.Ordinal);
        Assert.Equal(string.Empty, await _bench.OkAsync("diff", "empty"));
        await _bench.OkAsync("commit", "empty", "scratch:1");
        await _bench.OkAsync("snapshots", "rm", "work", "empty");
    }

    [Theory]
    [InlineData(NotFound, "diff", "nothing")]
    [InlineData(NotFound, "commit", "nothing", "made:1")]
    [InlineData(NotFound, "rebase", "nothing", "made:1")]
    [InlineData(WrongUsage, "commit", "MNT", "Not A Name")]
    [InlineData(WrongUsage, "commit", "MNT", "made:1", "--compression", "xz")]
    [InlineData(WrongUsage, "commit", "MNT", "made:1", "--timestamp", "yesterday")]
    [InlineData(WrongUsage, "diff", "MNT", "--timestamp", "-1", "-o", "-")]
    [InlineData(NotSupported, "commit", "MNT", "made:1", "--change", "RUN true")]
    public async Task WrongRequests_AreOneClearErrorAndAnExitCode(int code, params string[] arguments)
    {
        await MountAsync();
        var result = await _bench.RunAsync([.. arguments.Select(argument => argument == "MNT" ? Mounted : argument)]);
        Assert.True(result.ExitCode == code, $"{result.ExitCode}: {result.Error}");
        Assert.StartsWith("imagestore: ", result.Error, StringComparison.Ordinal);
        Assert.Equal(string.Empty, result.Output);
        Assert.DoesNotContain("made", await _bench.OkAsync("images", "ls"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diff_IntoAFileThatCannotBeWritten_LeavesNone()
    {
        await MountAsync();
        await File.WriteAllTextAsync(Path.Combine(Mounted, ".wh.x"), "new");
        var result = await _bench.RunAsync("diff", "-o", _bench.In("out.tar"), Mounted);
        Assert.Equal(NotSupported, result.ExitCode);
        Assert.DoesNotContain(Directory.GetFiles(Path.GetDirectoryName(Mounted)!), file => file.Contains("out.tar", StringComparison.Ordinal));
    }

    private async Task<TestImage> MountAsync()
    {
        var image = await _bench.StoredAsync();
        Directory.CreateDirectory(Mounted);
        await _bench.OkAsync("mount", "--rw", image.Reference, Mounted);
        return image;
    }
}
