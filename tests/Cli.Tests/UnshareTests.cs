using ImageStore.Cli.Tests.Support;

namespace ImageStore.Cli.Tests;

/// <summary><c>unshare</c>, by users who are nobody's root.</summary>
public sealed class UnshareTests(OrdinaryUser user) : IClassFixture<OrdinaryUser>, IAsyncDisposable
{
    private readonly Workbench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Theory]
    [InlineData("overlayfs")]
    [InlineData("native")]
    public async Task PullAndMount_InIt_HaveTheRightOwnersAndLeaveNothing(string snapshotter)
    {
        var image = TestImage.Add(_bench.Registry, "app");
        var (program, home) = Ready();
        var run = await AsUserAsync(home, program, "unshare", "--", "sh", "-ec", $"""
            {program} --quiet pull --snapshotter {snapshotter} {image.Reference} > pulled
            mkdir mnt
            {program} mount --rw --snapshotter {snapshotter} {image.Reference} mnt > mounted
            stat -c '%u:%g' mnt/{TestImage.FileName}
            echo new > mnt/new
            chown 5:6 mnt/new
            rm mnt/{TestImage.FileName}
            {program} diff --snapshotter {snapshotter} $PWD/mnt
            find $IMAGESTORE_ROOT/snapshots -name new -exec stat -c '%u:%g' {"{}"} +
            {program} unmount --snapshotter {snapshotter} mnt > mounted
            ls mnt
            {program} snapshots ls --snapshotter {snapshotter} | grep -c mount- || true
            """);

        Assert.True(run.ExitCode == 0, run.Error + run.Output);
        Assert.Equal(string.Empty, run.Error);
        Assert.Equal($"0:0\nD /{TestImage.FileName}\nA /new\n5:6\n0\n", run.Output);
        Assert.True(Directory.Exists(Path.Combine(home, "imagestore", "snapshots", snapshotter)));
        Assert.DoesNotContain(home, await File.ReadAllTextAsync("/proc/self/mountinfo"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bundle_InIt_RunsWithoutRoot()
    {
        Shell.Need("runc");
        Assert.SkipUnless(File.Exists("/bin/busybox"), "busybox is not installed");
        var image = TestImage.Add(_bench.Registry, "app");
        var (program, home) = Ready();
        var run = await AsUserAsync(home, program, "unshare", "--", "sh", "-ec", $"""
            {program} --quiet pull --no-unpack {image.Reference} > pulled
            {program} --quiet bundle --user 5:6 {image.Reference} box -- /busybox sh -c '/busybox id -u; /busybox id -g; /busybox stat -c %u /{TestImage.FileName}' > made
            cp /bin/busybox box/rootfs/busybox
            runc --root $PWD/state run --bundle box box
            """);
        Assert.True(run.ExitCode == 0, run.Error + run.Output);
        Assert.Equal("5\n6\n0\n", run.Output);
    }

    [Fact]
    public async Task Mounts_InIt_AreSeenByNobodyElseAndEndWithIt()
    {
        var (program, home) = Ready();
        var run = await AsUserAsync(home, program, "unshare", "--", "sh", "-ec", $"""
            mkdir mnt
            mount -t tmpfs none mnt
            touch mnt/file
            chown 1:1 mnt/file
            stat -c '%u:%g' mnt/file
            cat /proc/self/uid_map | tr -s ' '
            echo "$HOME:$IMAGESTORE_ROOT"
            grep -o 'master:\|shared:' /proc/self/mountinfo || true
            """);

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal($"1:1\n 0 {user.Id} 1\n 1 {OrdinaryUser.FirstId} 65536\n{home}:{home}/imagestore\n", run.Output);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(home, "mnt")));
    }

    [Theory]
    [InlineData(0, "true")]
    [InlineData(7, "exit 7")]
    [InlineData(143, "kill -TERM $$")]
    [InlineData(141, "kill -PIPE $$")]
    public async Task ExitCode_OfTheCommand_IsThatOfUnshare(int code, string script)
    {
        var (program, home) = Ready();
        var run = await AsUserAsync(home, program, "unshare", "sh", "-c", script);
        Assert.True(run.ExitCode == code, $"{run.ExitCode}: {run.Error}");
        Assert.Equal(string.Empty, run.Error);
    }

    [Fact]
    public async Task Signal_ToUnshare_ReachesTheCommand()
    {
        var (program, home) = Ready();
        using var process = Shell.Start("setpriv", [.. Become(), program, "unshare", "sh", "-c", "trap 'echo heard; exit 3' USR1; echo ready; while :; do sleep 0.1; done"], Variables(home));
        Assert.Equal("ready", await process.StandardOutput.ReadLineAsync());
        await Shell.RunAsync("kill", ["-USR1", $"{process.Id}"]);
        var run = await Shell.EndAsync(process);
        Assert.Equal((3, "heard\n"), (run.ExitCode, run.Output));
    }

    [Fact]
    public async Task Command_LeftOut_IsTheShell()
    {
        var (program, home) = Ready();
        var run = await AsUserAsync(home, "sh", "-c", $"echo 'id -u' | SHELL=/bin/sh {program} unshare");
        Assert.Equal((0, "0\n"), (run.ExitCode, run.Output));
    }

    [Fact]
    public async Task Command_ThatIsNotThere_EndsAsAShellWouldAndSaysSo()
    {
        var (program, home) = Ready();
        var run = await AsUserAsync(home, program, "unshare", "./nothing-of-this-name");
        Assert.Equal(127, run.ExitCode);
        Assert.Contains("nothing-of-this-name", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ids_OfAUserWithoutAny_AreTheOwnAloneAndItIsSaid()
    {
        var (program, home) = _bench.ForNobody();
        var run = await Shell.RunAsync(
            "setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", program, "unshare", "cat", "/proc/self/uid_map"], Variables(home));
        Assert.Equal((0, "0 65534 1"), (run.ExitCode, string.Join(' ', run.Output.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Trim()));
        Assert.Contains("only your own id", Assert.Single(run.Error.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Machine_ThatGivesNoNamespaces_IsNamedWithTheWayOut()
    {
        var (program, home) = Ready();

        // The setting is of each user namespace: it is set in one that is the test's own.
        var run = await AsUserAsync(home, "unshare", "-Ur", "sh", "-c", $"echo 0 > /proc/sys/user/max_user_namespaces && exec {program} unshare true");
        Assert.Equal(7, run.ExitCode);
        Assert.Contains("user.max_user_namespaces is 0", run.Error, StringComparison.Ordinal);
        Assert.Contains("sysctl -w", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mount_WithMapsInIt_IsRefusedByTheKernelInOneClearError()
    {
        var image = TestImage.Add(_bench.Registry, "app");
        var (program, home) = Ready();
        var run = await AsUserAsync(
            home, program, "unshare", "--", "sh", "-ec",
            $"{program} --quiet pull {image.Reference}; mkdir mnt; {program} mount --uidmap 0:1:9 --gidmap 0:1:9 {image.Reference} mnt");
        Assert.Equal(7, run.ExitCode);
        Assert.Contains("does not map the owners", run.Error, StringComparison.Ordinal);
        Assert.Contains("Linux", run.Error, StringComparison.Ordinal);
    }

    private (string Program, string Home) Ready()
    {
        Shell.Need("newuidmap");
        var (program, home) = _bench.ForNobody();
        Assert.SkipUnless(user.Exists, "a user cannot be made here");
        return (program, home);
    }

    private string[] Become() => ["--reuid", user.Name, "--regid", "100", "--init-groups"];

    private Task<Shell.Result> AsUserAsync(string home, params string[] words) =>
        Shell.RunAsync("setpriv", [.. Become(), "env", "-C", home, .. words], Variables(home));

    private static Dictionary<string, string?> Variables(string home) =>
        new() { ["XDG_DATA_HOME"] = home, ["HOME"] = home, ["IMAGESTORE_ROOT"] = null, ["TMPDIR"] = home };
}
