using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests;

/// <summary>Bundles of real images, run by real runtimes; a process within tells what it is.</summary>
public sealed class BundleTests : IAsyncDisposable
{
    // capabilities(7): the fourteen that a container has.
    private const string UsualCapabilities = "00000000a80425fb";

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-bundle-");

    public async ValueTask DisposeAsync() => await Run.AsyncOk("rm", "-r", "-f", "--one-file-system", _work.FullName);

    private ImageStoreCli Cli => new(In("root"));

    [Theory]
    [InlineData("runc")]
    [InlineData("crun")]
    public async Task Process_OfAnImageThatSaysLittle_HasTheDefaults(string runtime)
    {
        var told = await RunAsync(runtime, [], """
            echo user $(id -u) $(id -g) $(id -G)
            echo at $(pwd) with $PATH and $HOME
            sed -n 's/^\(CapInh\|CapEff\|CapBnd\|CapAmb\|NoNewPrivs\|Seccomp\):\t/\1 /p' /proc/self/status
            echo files $(ulimit -n) $(ulimit -Hn)
            echo masked $(head -c 9 /proc/kcore | wc -c) $(ls /sys/firmware | wc -l)
            (echo 1 > /proc/sys/kernel/panic) 2>&1 | grep -o 'Read-only.*'
            (echo 1 > /sys/kernel/uevent_helper) 2>&1 | grep -o 'Read-only.*'
            echo links $(ls /sys/class/net)
            echo first $(cat /proc/1/cmdline | head -c 2)
            busybox unshare -U true 2>&1 | grep -o 'not permitted'
            (busybox mknod /node b 8 0 && head -c 1 /node) 2>&1 | grep -o 'not permitted'
            busybox mount -t tmpfs none /tmp 2>/dev/null || echo not mounted
            echo written > /file && cat /file
            """);
        Assert.Equal(
            $"""
            user 0 0 0
            at / with /usr/local/bin:/usr/bin:/bin and /root
            CapInh 0000000000000000
            CapEff {UsualCapabilities}
            CapBnd {UsualCapabilities}
            CapAmb 0000000000000000
            NoNewPrivs 1
            Seccomp 2
            files 1024 1024
            masked 0 0
            Read-only file system
            Read-only file system
            links lo
            first sh
            not permitted
            not permitted
            not mounted
            written

            """,
            told);
        Assert.Equal("written\n", await File.ReadAllTextAsync(Path.Combine(In("box"), "rootfs/file")));
    }

    [Theory]
    [InlineData("runc")]
    [InlineData("crun")]
    public async Task Process_OfAnImageWithAUser_IsThatUser(string runtime)
    {
        await Containers.MakeAsync(Cli, _work.FullName);
        await Containers.ChangeAsync(
            Cli, _work.FullName,
            """
            echo 'app:x:1000:1001:App:/home/app:/bin/sh' >> etc/passwd
            printf 'app:x:1001:\nmore:x:2000:nobody,app\nless:x:2001:nobody\nsaid:x:2002:\n' >> etc/group
            """,
            "USER app", "WORKDIR /srv/made/by/runtime", "ENV MODE=image OTHER=image", "ENTRYPOINT [\"/bin/sh\", \"-c\"]", "CMD [\"echo unused\"]");
        const string Script = "echo $(id -u) $(id -g) $(id -G) $(pwd) $MODE $OTHER $HOME; grep CapEff /proc/self/status; touch /file 2>&1 | grep -o 'denied'";
        await Cli.OkAsync("-q", "bundle", "-e", "MODE=mine", "box:2", In("box"), "--", Script);
        Assert.Equal("1000 1001 1001 2000 /srv/made/by/runtime mine image /home/app\nCapEff:\t0000000000000000\ndenied\n", await Containers.OkAsync(runtime, In("box")));

        await Cli.OkAsync("-q", "bundle", "-u", "nobody:said", "-w", "/tmp", "box:2", In("other"), "--", "echo $(id -u) $(id -g) $(id -G) $(pwd)");
        Assert.Equal("65534 2002 2002 2000 2001 /tmp\n", await Containers.OkAsync(runtime, In("other")));
    }

    [Theory]
    [InlineData("runc")]
    [InlineData("crun")]
    public async Task Mounts_AndDevices_AreThere(string runtime)
    {
        Directory.CreateDirectory(In("data"));
        await File.WriteAllTextAsync(In("data/file"), "of the host\n");
        var told = await RunAsync(
            runtime,
            ["--read-only", "-v", $"{In("data")}:/data:ro", "--mount", $"type=bind,src={In("data")},dst=/rw/deep", "--mount", "type=tmpfs,dst=/t,tmpfs-size=1M", "--device", "/dev/loop-control:/dev/mine:r", "--hostname", "boxed"],
            """
            touch /file 2>&1 | grep -o 'Read-only.*'
            cat /data/file && touch /data/file 2>&1 | grep -o 'Read-only.*'
            echo changed > /rw/deep/new
            grep -c ' /t tmpfs .*noexec.*size=1024k' /proc/mounts
            [ -c /dev/mine ] && [ -c /dev/null ] && [ ! -e /dev/loop-control ] && echo devices
            busybox hostname
            """);
        Assert.Equal("Read-only file system\nof the host\nRead-only file system\n1\ndevices\nboxed\n", told);
        Assert.Equal("changed\n", await File.ReadAllTextAsync(In("data/new")));
    }

    [Theory]
    [InlineData("runc")]
    [InlineData("crun")]
    public async Task Capabilities_AndFilter_AreWhatIsAsked(string runtime)
    {
        const string Script = "grep -E 'CapBnd|NoNewPrivs|Seccomp:' /proc/self/status | busybox tr -d '\\n'; busybox unshare -U true 2>/dev/null && echo ' made' || echo ' refused'";
        Assert.Equal("CapBnd:\t0000000000000401NoNewPrivs:\t1Seccomp:\t2 refused\n", await RunAsync(runtime, ["--cap-drop", "ALL", "--cap-add", "CHOWN", "--cap-add", "net_bind_service"], Script));
        Assert.Equal($"CapBnd:\t{UsualCapabilities}NoNewPrivs:\t0Seccomp:\t0 made\n", await AgainAsync(runtime, ["--security-opt", "seccomp=unconfined", "--security-opt", "no-new-privileges=false"], Script));

        var profile = In("profile.json");
        await File.WriteAllTextAsync(profile, """{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28}]}""");
        Assert.Equal("left on device\nmade\n", await AgainAsync(runtime, ["--security-opt", $"seccomp={profile}"], "mkdir /new 2>&1 | grep -o 'left on device'; busybox unshare -U true && echo made"));

        var own = (await File.ReadAllLinesAsync("/proc/self/status")).First(line => line.StartsWith("CapEff", StringComparison.Ordinal))["CapEff:\t".Length..];
        Assert.Equal(
            $"CapBnd {own}\nSeccomp 0\nrw\n/dev/loop-control\n",
            await AgainAsync(runtime, ["--privileged"], "sed -n 's/^\\(CapBnd\\|Seccomp\\):\\t/\\1 /p' /proc/self/status; grep -o ' /sys sysfs rw' /proc/mounts | busybox cut -d' ' -f4; ls /dev/loop-control"));
    }

    [Fact]
    public async Task Limits_AreKept()
    {
        Assert.Equal("100\n", await RunAsync("runc", ["--ulimit", "nofile=100:200"], "ulimit -n"));
        Assert.Contains("can't fork", await AgainAsync("runc", ["--pids-limit", "12"], "(for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 1 & done) 2>&1; true"), StringComparison.Ordinal);
        const string Script = """
            if [ ! -d /cg/memory ]; then cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max; exit; fi
            at() { sed -n "s/^[0-9]*:\([^:]*,\)\?$1\(,[^:]*\)\?:/\/cg\/$1/p" /proc/self/cgroup; }
            cat $(at memory)/memory.limit_in_bytes
            echo $(cat $(at cpu)/cpu.cfs_quota_us) $(cat $(at cpu)/cpu.cfs_period_us)
            """;
        Assert.Equal("67108864\n50000 100000\n", await AgainAsync("runc", ["-v", "/sys/fs/cgroup:/cg:ro", "--memory", "64M", "--cpus", "0.5"], Script));
    }

    [Fact]
    public async Task Limits_ThatThisProcessMayNotGive_AreCutAndTheContainerRuns()
    {
        await Containers.MakeAsync(Cli, _work.FullName);
        var made = await Cli.TryAsync("-q", "bundle", "--ulimit", "nofile=999999999", "--oom-score-adj", "-900", "--cap-add", "ALL", "box:1", In("box"), "--", "sh", "-c", "cat /proc/self/oom_score_adj");
        Assert.True(made.ExitCode == 0, made.Error);
        var may = (Convert.ToUInt64((await File.ReadAllLinesAsync("/proc/self/status")).First(line => line.StartsWith("CapEff", StringComparison.Ordinal))["CapEff:".Length..].Trim(), 16) & (1UL << 24)) != 0;
        Assert.Equal(may ? 0 : 3, made.Error.Split("imagestore: ").Length - 1);
        Assert.Equal(may ? "-900\n" : await File.ReadAllTextAsync("/proc/self/oom_score_adj"), await Containers.OkAsync("runc", In("box")));
    }

    [Fact]
    public async Task Network_OfTheHost_IsTheHosts()
    {
        var told = await RunAsync("runc", ["--net", "host"], "ls /sys/class/net | busybox sort; cat /etc/hosts");
        var links = Directory.EnumerateFileSystemEntries("/sys/class/net").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);
        Assert.Equal(string.Concat(links.Select(link => link + "\n")) + await File.ReadAllTextAsync("/etc/hosts"), told);
    }

    [Fact]
    public async Task Terminal_WithoutOne_IsTheRuntimesRefusalAndOursIsTheFlag()
    {
        await Containers.MakeAsync(Cli, _work.FullName);
        await Cli.OkAsync("-q", "bundle", "-t", "box:1", In("box"), "--", "busybox", "tty");
        Assert.True(Containers.Spec(In("box"))["process"]!["terminal"]!.GetValue<bool>());
        Run.Need("runc", "script");
        var run = await Run.TryAsync("script", ["-qec", $"runc run --bundle {In("box")} imagestore-{Guid.NewGuid():N}", "/dev/null"]);
        Assert.Contains("/dev/pts/0", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("overlayfs")]
    [InlineData("native")]
    public async Task Snapshot_IsMountedRunsAndGoes(string snapshotter)
    {
        await Containers.MakeAsync(Cli, _work.FullName);
        await Cli.OkAsync("-q", "bundle", "--snapshot", "--snapshotter", snapshotter, "box:1", In("box"), "--", "sh", "-c", "echo kept > /file; cat /file");
        try
        {
            Assert.Equal("kept\n", await Containers.OkAsync("runc", In("box")));
            Assert.Contains($" {In("box")}/rootfs ", await File.ReadAllTextAsync("/proc/self/mountinfo"), StringComparison.Ordinal);
        }
        finally
        {
            await Cli.OkAsync("unmount", "--snapshotter", snapshotter, Path.Combine(In("box"), "rootfs"));
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(In("box"), "rootfs")));
    }

    [Fact]
    public async Task Rootfs_OfHardLayers_IsWhatUmociUnpacks()
    {
        Run.NeedRoot();
        Run.Need("umoci", "getfattr");
        var layout = Layouts.Tricky(In("tricky"), "bundle");
        await Cli.OkAsync("-q", "import", "--name", "tricky:1", layout);
        await Cli.OkAsync("-q", "bundle", "tricky:1", In("box"), "--", "/tool");
        var ours = await TreeListing.OfAsync(Path.Combine(In("box"), "rootfs"));

        // An image without an entry for its root leaves the root's time to whoever makes it.
        ours.Remove(string.Empty);
        Trees.AssertEqual(await Trees.ByUmociAsync(layout, In("theirs")), ours);
    }

    private async Task<string> RunAsync(string runtime, string[] options, string script)
    {
        await Containers.MakeAsync(Cli, _work.FullName);
        return await AgainAsync(runtime, options, script);
    }

    private async Task<string> AgainAsync(string runtime, string[] options, string script)
    {
        await Run.AsyncOk("rm", "-r", "-f", "--one-file-system", In("box"));
        await Cli.OkAsync(["-q", "bundle", .. options, "box:1", In("box"), "--", "sh", "-c", script]);
        return await Containers.OkAsync(runtime, In("box"));
    }

    private string In(string name) => Path.Combine(_work.FullName, name);
}
