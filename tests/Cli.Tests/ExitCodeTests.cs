using ImageStore.Cli.Tests.Support;
using ImageStore.TestKit;

namespace ImageStore.Cli.Tests;

public sealed class ExitCodeTests : IAsyncDisposable
{
    private const string Absent = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    private readonly Workbench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Theory]
    [InlineData(2, "nonsense")]
    [InlineData(2, "images")]
    [InlineData(2, "pull")]
    [InlineData(2, "pull", "UPPER/case")]
    [InlineData(2, "pull", "@file")]
    [InlineData(2, "pull", "")]
    [InlineData(2, "mount", "absent", "")]
    [InlineData(2, "images", "rm", "a", "")]
    [InlineData(2, "--namespace", "", "info")]
    [InlineData(2, "pull", "a b")]
    [InlineData(2, "pull", "alpine", "--platform", "a/b/c/d")]
    [InlineData(2, "pull", "alpine", "--no-such-option")]
    [InlineData(2, "--format", "xml", "info")]
    [InlineData(2, "--namespace", "../up", "pull", "alpine")]
    [InlineData(2, "images", "tag", "alpine", "other@" + Absent)]
    [InlineData(2, "content", "get", "sha256:short")]
    [InlineData(2, "content", "rm", "md5:00")]
    [InlineData(2, "snapshots", "ls", "--snapshotter", "other")]
    [InlineData(2, "completion", "tcsh")]
    [InlineData(2, "why", "nonsense")]
    [InlineData(2, "lease", "create", " up")]
    [InlineData(2, "lease", "create", "--expires", "soon")]
    [InlineData(2, "lease", "create", "--expires", "0s")]
    [InlineData(2, "lease", "create", "--expires", "999999999d")]
    [InlineData(2, "lease", "create", "a", "--label", "novalue")]
    [InlineData(2, "namespaces", "create", "../up")]
    [InlineData(2, "namespaces", "create", "a/b")]
    [InlineData(2, "namespaces", "create", "1234567890123456789012345678901234567890123456789012345678901234567890123456x")]
    [InlineData(2, "namespaces", "create", "a", "--bytes", "much")]
    [InlineData(2, "namespaces", "create", "a", "--images", "-1")]
    [InlineData(2, "gc", "--high-water", "85")]
    [InlineData(2, "gc", "--high-water", "80", "--low-water", "85")]
    [InlineData(2, "gc", "--high-water", "85", "--low-water", "80", "--dry-run")]
    [InlineData(2, "fsck", "--rate", "fast")]
    [InlineData(2, "du", "--images", "--snapshots")]
    [InlineData(2, "pull", "alpine", "--policy", "sometimes")]
    [InlineData(3, "pull", "alpine", "--policy", "never")]
    [InlineData(3, "namespaces", "rm", "absent")]
    [InlineData(3, "namespaces", "label", "absent", "a=b")]
    [InlineData(3, "namespaces", "quota", "absent", "--bytes", "1G")]
    [InlineData(3, "config", "check", "/absent.toml")]
    [InlineData(3, "--config", "/absent.toml", "info")]
    [InlineData(3, "lease", "rm", "absent")]
    [InlineData(3, "lease", "add", "absent", "content:" + Absent)]
    [InlineData(3, "images", "pin", "absent")]
    [InlineData(3, "why", Absent)]
    [InlineData(3, "why", "overlayfs/absent")]
    [InlineData(3, "images", "inspect", "absent")]
    [InlineData(3, "images", "tag", "absent", "other")]
    [InlineData(3, "images", "rm", "absent")]
    [InlineData(3, "content", "get", Absent)]
    [InlineData(3, "content", "rm", Absent)]
    [InlineData(3, "unpack", "absent")]
    [InlineData(3, "mount", "absent", "/mnt")]
    [InlineData(8, "pull", "127.0.0.1:1/app", "--quiet")]
    public async Task BadInput_EndsWithItsCodeAndSaysWhatToDo(int code, params string[] arguments)
    {
        var result = await _bench.RunAsync(arguments);
        Assert.True(result.ExitCode == code, $"{result.ExitCode} instead of {code}: {result.Error}");
        Assert.Empty(result.Output);
        var lines = result.Error.TrimEnd('\n').Split('\n');
        Assert.StartsWith("imagestore: ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("  ", lines[1], StringComparison.Ordinal);
        Assert.Equal(2, lines.Length);
    }

    [Theory]
    [InlineData(401, 6)]
    [InlineData(403, 7)]
    [InlineData(404, 3)]
    public async Task Pull_RegistryRefuses_EndsWithItsCode(int status, int code)
    {
        _bench.Registry.Intercept = _ => FakeResponse.Text(status, "{}");
        var result = await _bench.RunAsync("--quiet", "pull", $"{_bench.Registry.Host}/app");
        Assert.True(result.ExitCode == code, $"{result.ExitCode} instead of {code}: {result.Error}");
        Assert.StartsWith("imagestore: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_DamagedBlob_EndsWithElevenAndWithoutAStack()
    {
        var image = await _bench.StoredAsync();
        var path = Path.Combine(_bench.Root, "content/blobs/sha256", image.Layer.Digest.Hex);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using (var file = new FileStream(path, FileMode.Open, FileAccess.Write))
        {
            file.WriteByte(255);
        }

        var plain = await _bench.RunAsync("content", "get", image.Layer.Digest.ToString());
        Assert.Equal(11, plain.ExitCode);
        Assert.DoesNotContain("   at ", plain.Error, StringComparison.Ordinal);
        var debug = await _bench.RunAsync("--debug", "content", "get", image.Layer.Digest.ToString());
        Assert.Contains("   at ", debug.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Tell_UnexpectedException_IsOneLineAndHowToGetTheStack()
    {
        var before = Console.Error;
        using var said = new StringWriter();
        Console.SetError(said);
        try
        {
            Assert.Equal(1, Failures.Tell(new InvalidOperationException("a\nb"), debug: false));
        }
        finally
        {
            Console.SetError(before);
        }

        var lines = said.ToString().TrimEnd('\n').Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.Contains("InvalidOperationException", lines[0], StringComparison.Ordinal);
        Assert.Contains("--debug or IMAGESTORE_DEBUG=1", lines[1], StringComparison.Ordinal);
    }
}
