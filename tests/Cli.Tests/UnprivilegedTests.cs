using ImageStore.Cli.Tests.Support;
using ImageStore.TestKit;

namespace ImageStore.Cli.Tests;

/// <summary>What a user without privileges gets.</summary>
public sealed class UnprivilegedTests : IAsyncDisposable
{
    private const string Nobody = "65534";

    // Nobody is whomever the kernel has no number for, too, so that nothing is believed to be that user's.
    private const string Somebody = "54321";

    private readonly Workbench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Pull_ByNobody_StoresBelowTheDataDirectoryAndSaysThatItDoesNotUnpack()
    {
        var image = TestImage.Add(_bench.Registry, "app");
        var (program, home) = _bench.ForNobody();
        var pulled = await AsNobodyAsync(program, home, "--quiet", "pull", image.Reference);
        Assert.True(pulled.ExitCode == 0, pulled.Error);
        Assert.StartsWith("imagestore: stored, not unpacked", Assert.Single(pulled.Error.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        Assert.Contains(image.Reference, (await AsNobodyAsync(program, home, "images", "ls")).Output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(home, "imagestore/content/blobs/sha256", image.Layer.Digest.Hex)));
    }

    [Theory]
    [InlineData("mount")]
    [InlineData("unpack")]
    [InlineData("bundle")]
    [InlineData("pull")]
    public async Task WhatNeedsPrivileges_ByNobody_IsOneClearError(string verb)
    {
        var image = TestImage.Add(_bench.Registry, "app");
        var (program, home) = _bench.ForNobody();
        var pulled = await AsNobodyAsync(program, home, "--quiet", "pull", image.Reference);
        Assert.True(pulled.ExitCode == 0, pulled.Error);
        string[] arguments = verb switch
        {
            "mount" => ["mount", image.Reference, home],
            "unpack" => ["unpack", image.Reference],
            "bundle" => ["bundle", image.Reference, Path.Combine(home, "box"), "/app"],
            _ => ["pull", "--snapshotter", "native", image.Reference],
        };
        var result = await AsNobodyAsync(program, home, ["--quiet", .. arguments]);
        Assert.Equal(7, result.ExitCode);
        Assert.Equal(2, result.Error.TrimEnd('\n').Split('\n').Length);
        Assert.Contains("root", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_ByNobody_GoesOnWithAnIngestThatHasABlobsMode()
    {
        var image = TestImage.Add(_bench.Registry, "app");
        var (program, home) = _bench.ForNobody();
        var path = $"/blobs/{image.Layer.Digest}";
        var bytes = _bench.Registry.Find($"/v2/app{path}")!;
        var asked = 0;
        _bench.Registry.Intercept = request => !request.Target.EndsWith(path, StringComparison.Ordinal) ? null
            : asked++ == 0 ? new FakeResponse { Body = bytes, TruncateAt = bytes.Length / 2 }
            : FakeResponse.Text(404, "{}");
        Assert.NotEqual(0, (await AsNobodyAsync(program, home, "--quiet", "pull", image.Reference)).ExitCode);
        _bench.Registry.Intercept = null;

        // Who is killed between a blob's mode and its name leaves this.
        var data = Assert.Single(Directory.GetFiles(Path.Combine(home, "imagestore/content/ingest"), "data", SearchOption.AllDirectories));
        File.SetUnixFileMode(data, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

        var pulled = await AsNobodyAsync(program, home, "--quiet", "pull", image.Reference);
        Assert.True(pulled.ExitCode == 0, pulled.Error);
    }

    [Fact]
    public async Task Demo_ByNobody_RunsToItsEnd()
    {
        var (program, home) = _bench.ForNobody();
        var result = await AsNobodyAsync(program, home, "demo");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("Mounting is left out", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_BesideADaemonThatIsNeitherRootsNorOnesOwn_IsRefused()
    {
        // It would be told for whom registries are asked.
        var image = TestImage.Add(_bench.Registry, "app");
        var (program, home) = _bench.ForNobody();
        if (!File.Exists(Path.Combine(Path.GetDirectoryName(program)!, "imagestored")))
        {
            Assert.Skip("the daemon is not built beside the program: run ./test");
        }

        var (root, socket) = (Path.Combine(home, "root"), Path.Combine(home, "sock"));
        using var daemon = Shell.Start(
            "setpriv",
            [.. As(Somebody), program, "--root", root, "daemon", "--address", socket, "--state", Path.Combine(home, "state")],
            Variables(home));
        try
        {
            while (!File.Exists(socket))
            {
                Assert.False(daemon.HasExited, "the daemon did not start");
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }

            var refused = await Shell.RunAsync(program, ["--root", root, "pull", image.Reference], Variables(home));
            Assert.Equal(7, refused.ExitCode);
            Assert.Contains($"The daemon on {socket} is neither root's nor your own.", refused.Error, StringComparison.Ordinal);

            var own = await Shell.RunAsync(
                "setpriv", [.. As(Somebody), program, "--root", root, "--quiet", "pull", "--no-unpack", image.Reference], Variables(home));
            Assert.True(own.ExitCode == 0, own.Error);
        }
        finally
        {
            daemon.Kill();
            await daemon.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static string[] As(string user) => ["--reuid", user, "--regid", user, "--clear-groups"];

    private static Dictionary<string, string?> Variables(string home) =>
        new() { ["XDG_DATA_HOME"] = home, ["HOME"] = home, ["IMAGESTORE_ROOT"] = null, ["TMPDIR"] = home };

    private static Task<Shell.Result> AsNobodyAsync(string program, string home, params string[] arguments) => Shell.RunAsync(
        "setpriv",
        [.. As(Nobody), program, .. arguments],
        Variables(home));
}
