using System.Text.Json.Nodes;
using ImageStore.Runtime.Bundles;
using ImageStore.Runtime.Generation;
using ImageStore.Runtime.Host;
using ImageStore.Runtime.Images;
using ImageStore.Runtime.Options;
using ImageStore.Runtime.Security;
using ImageStore.Runtime.Spec;
using ImageStore.Runtime.Tests.Support;
using ImageStore.Runtime.Users;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tests.Generation;

/// <summary>What becomes of an image's words and a user's.</summary>
public sealed class SpecGeneratorTests : IDisposable
{
    private static readonly HostFacts s_host = new()
    {
        Capabilities = Capabilities.Known.ToHashSet(),
        Limits = new Dictionary<string, ulong> { ["RLIMIT_NOFILE"] = 4096, ["RLIMIT_CORE"] = RlimitSpec.Unlimited },
    };

    private static readonly ImageProcess s_image = new() { Cmd = ["/bin/app"] };

    private readonly Folder _root = new();

    public void Dispose() => _root.Dispose();

    // The facts are containerd's, of pkg/oci: populateDefaultUnixSpec, defaultMounts, WithDefaultUnixDevices.
    [Fact]
    public void Generate_OfAnImageThatSaysLittle_HasContainerdsDefaults()
    {
        BundleFile.Write(_root.Path, Of(s_image, new ContainerOptions { Security = new SecurityText { IsUnconfined = true } }));
        var capabilities = """["CAP_AUDIT_WRITE","CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FOWNER","CAP_FSETID","CAP_KILL","CAP_MKNOD","CAP_NET_BIND_SERVICE","CAP_NET_RAW","CAP_SETFCAP","CAP_SETGID","CAP_SETPCAP","CAP_SETUID","CAP_SYS_CHROOT"]""";
        var expected = JsonNode.Parse($$"""
            {
              "ociVersion": "1.0.2",
              "process": {
                "user": {"uid": 0, "gid": 0, "additionalGids": [0]},
                "args": ["/bin/app"],
                "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                "cwd": "/",
                "capabilities": {"bounding": {{capabilities}}, "effective": {{capabilities}}, "permitted": {{capabilities}}},
                "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
                "noNewPrivileges": true
              },
              "root": {"path": "rootfs"},
              "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
                {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
                {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
                {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
                {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
                {"destination": "/run", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]}
              ],
              "linux": {
                "namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "network"}],
                "resources": {"devices": [
                  {"allow": false, "access": "rwm"},
                  {"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rwm"},
                  {"allow": true, "type": "c", "major": 1, "minor": 5, "access": "rwm"},
                  {"allow": true, "type": "c", "major": 1, "minor": 7, "access": "rwm"},
                  {"allow": true, "type": "c", "major": 1, "minor": 8, "access": "rwm"},
                  {"allow": true, "type": "c", "major": 1, "minor": 9, "access": "rwm"},
                  {"allow": true, "type": "c", "major": 5, "minor": 0, "access": "rwm"},
                  {"allow": true, "type": "c", "major": 5, "minor": 1, "access": "rwm"},
                  {"allow": true, "type": "c", "major": 5, "minor": 2, "access": "rwm"},
                  {"allow": true, "type": "c", "major": 136, "access": "rwm"}
                ]},
                "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/scsi", "/proc/sched_debug",
                  "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"],
                "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
              }
            }
            """);
        var actual = JsonNode.Parse(File.ReadAllText(_root.In(BundleFile.Name)));
        Assert.True(JsonNode.DeepEquals(expected, actual), actual!.ToJsonString());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_root.In(BundleFile.Name)));
    }

    [Theory]
    [InlineData("entry,-a", "one,two", "", null, "entry -a one two")]
    [InlineData("entry,-a", "one,two", "mine,too", null, "entry -a mine too")]
    [InlineData("", "one,two", "", null, "one two")]
    [InlineData("", "one,two", "mine", null, "mine")]
    [InlineData("entry", "one", "", "sh", "sh")]
    [InlineData("entry", "one", "-c,x", "sh", "sh -c x")]
    public void Arguments_OfImageAndUser_AreAsDockerHasThem(string entrypoint, string cmd, string command, string? own, string expected) =>
        Assert.Equal(expected, string.Join(' ', Of(
            new ImageProcess { Entrypoint = Words(entrypoint), Cmd = Words(cmd) }, new ContainerOptions { Command = Words(command), Entrypoint = own }).Process.Args));

    [Fact]
    public void Arguments_OfNobody_SayWhereACommandIsWritten()
    {
        Say.Fault(ErrorKind.InvalidArgument, () => Of(new ImageProcess(), new ContainerOptions()), "does not say what it runs");
        Say.Fault(ErrorKind.InvalidArgument, () => Of(new ImageProcess { Cmd = [""] }, new ContainerOptions()), "command is empty");
    }

    [Fact]
    public void Environment_OfImageAndUser_IsReplacedByName()
    {
        var image = s_image with { Env = ["A=1", "B=2", "A=3", "EMPTY=", "HOSTS_OWN", "=odd", "C=x=y"] };
        var made = Generate(image, new ContainerOptions
        {
            Environment = [new("B", null), new("C", "new"), new("D", "4"), new("D", "5"), new("GONE", null)],
        });
        Assert.Equal(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "A=3", "EMPTY=", "C=new", "D=5"], made.Spec.Process.Env);
        Assert.Equal(2, made.Notes.Count(note => note.Contains("is left out", StringComparison.Ordinal)));
    }

    [Fact]
    public void Environment_WithATerminal_NamesItUnlessSomebodyElseDoes()
    {
        var asked = new ContainerOptions { Terminal = true };
        Assert.Contains("TERM=xterm", Of(s_image, asked).Process.Env);
        Assert.Contains("TERM=dumb", Of(s_image with { Env = ["TERM=dumb", "PATH=/bin"] }, asked).Process.Env);
        Assert.Equal(["PATH=/bin"], Of(s_image with { Env = ["PATH=/bin"] }, new ContainerOptions()).Process.Env);
        Assert.True(Of(s_image, asked).Process.Terminal);
    }

    [Fact]
    public void Mounts_OfTheUser_DoNotHideTheUsualOnesBelowThem()
    {
        var spec = Of(s_image, new ContainerOptions { Mounts = [MountText.Parse("type=tmpfs,dst=/dev"), MountText.Parse("type=tmpfs,dst=/dev/shm/x")] });
        var places = spec.Mounts.Select(mount => mount.Destination).ToList();

        Assert.Equal(places.Distinct(), places);
        Assert.All(["/dev/pts", "/dev/shm", "/dev/mqueue"], below => Assert.True(places.IndexOf("/dev") < places.IndexOf(below)));
        Assert.True(places.IndexOf("/dev/shm") < places.IndexOf("/dev/shm/x"));
    }

    [Fact]
    public void Labels_ThatAreLong_AreNotWordsOfACommand_AndOrdersToRuntimesAreNone()
    {
        var text = new string('a', 200_000);
        var labels = new Dictionary<string, string> { ["meta"] = text, ["cdi.k8s.io/x"] = "vendor/device=all", ["io.containers.trace"] = "y" };

        var annotations = Of(s_image with { Labels = labels }, new ContainerOptions()).Annotations!;

        Assert.Equal(text, annotations["meta"]);
        Assert.DoesNotContain(annotations, one => one.Value is "vendor/device=all" or "y");
    }

    [Theory]
    [InlineData(null, null, "/")]
    [InlineData("", null, "/")]
    [InlineData("/srv", null, "/srv")]
    [InlineData("/srv", "/mine/", "/mine")]
    [InlineData("srv/./x", null, "/srv/x")]
    [InlineData("../../..", null, "/")]
    [InlineData("/a/../../../etc//x", null, "/etc/x")]
    [InlineData("/proc/sys", null, "/proc/sys")]
    [InlineData("/tmp/..//proc/self/fd/7/../../..", null, "/proc")]
    public void WorkingDirectory_OfAnyImage_IsAbsoluteAndBelowTheRoot(string? image, string? own, string expected) =>
        Assert.Equal(expected, Of(s_image with { WorkingDir = image }, new ContainerOptions { WorkingDirectory = own }).Process.Cwd);

    [Theory]
    [InlineData("/proc/self/fd/7", null)]
    [InlineData("/dev/fd/7", null)]
    [InlineData("/proc/./1/cwd", null)]
    [InlineData("/proc/thread-self/fd/8", null)]
    [InlineData(null, "/proc/self/fd/9")]
    [InlineData("/fine", "/proc/42/root")]
    [InlineData(null, "relative")]
    [InlineData(null, "/a/../..")]
    [InlineData("/a\0b", null)]
    public void WorkingDirectory_ThatLeadsOut_IsRefused(string? image, string? own) => Say.Fault(
        ErrorKind.InvalidArgument, () => Of(s_image with { WorkingDir = image }, new ContainerOptions { WorkingDirectory = own }), own ?? "orking directory");

    [Fact]
    public void User_OfImageOrUser_IsLookedUpInTheRoot()
    {
        _root.Write("etc/passwd", "app:x:10:20::/:\nother:x:30:40::/:\n");
        _root.Write("etc/group", "more:x:50:app\n");
        Assert.Equal([20U, 50U], Of(s_image with { User = "app" }, new ContainerOptions()).Process.User.AdditionalGids!);
        Assert.Equal(30U, Of(s_image with { User = "app" }, new ContainerOptions { User = UserText.Parse("other") }).Process.User.Uid);
    }

    [Fact]
    public void User_WhereGroupsCannotBeSet_HasNoneAndSaysSo()
    {
        _root.Write("etc/passwd", "app:x:10:20::/:\n");
        _root.Write("etc/group", "more:x:50:app\n");
        var host = s_host with { CanSetGroups = false, InUserNamespace = true };
        var made = SpecGenerator.Generate(s_image with { User = "app" }, new ContainerOptions(), host, _root.Path);
        Assert.Null(made.Spec.Process.User.AdditionalGids);
        Assert.Contains("50", Assert.Single(made.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Capabilities_AddedAndDropped_AreAsDockerHasThem()
    {
        Assert.Contains("CAP_SYS_ADMIN", Bounding(["CAP_SYS_ADMIN"], []));
        Assert.DoesNotContain("CAP_CHOWN", Bounding([], ["CAP_CHOWN"]));
        Assert.Empty(Bounding([], ["ALL"]));
        Assert.Equal(["CAP_CHOWN"], Bounding(["CAP_CHOWN"], ["ALL"]));
        Assert.Equal(Capabilities.Known.Count, Bounding(["ALL"], []).Count);
        Assert.Equal(Capabilities.Known.Count - 1, Bounding(["ALL"], ["CAP_MKNOD"]).Count);
        Assert.DoesNotContain("CAP_CHOWN", Bounding(["CAP_CHOWN"], ["CAP_CHOWN"]));
    }

    [Fact]
    public void Rights_ThatThisProcessDoesNotHave_AreCutAndTold()
    {
        var host = s_host with { Capabilities = s_host.Capabilities.Except(["CAP_SYS_RESOURCE", "CAP_MKNOD"]).ToHashSet(), OomScoreAdj = 10 };
        var asked = new ContainerOptions
        {
            AddedCapabilities = ["CAP_SYS_RESOURCE", "CAP_NET_ADMIN"],
            Ulimits = [new("RLIMIT_NOFILE", 9000, 8000), new("RLIMIT_CORE", RlimitSpec.Unlimited, 0), new("RLIMIT_NICE", 5, 5)],
            OomScoreAdj = -100,
        };
        var made = SpecGenerator.Generate(s_image, asked, host, _root.Path);
        Assert.DoesNotContain("CAP_SYS_RESOURCE", made.Spec.Process.Capabilities.Bounding);
        Assert.DoesNotContain("CAP_MKNOD", made.Spec.Process.Capabilities.Effective);
        Assert.Contains("CAP_NET_ADMIN", made.Spec.Process.Capabilities.Permitted);
        Assert.Equal(
            [new("RLIMIT_CORE", RlimitSpec.Unlimited, 0), new("RLIMIT_NICE", 5, 5), new RlimitSpec("RLIMIT_NOFILE", 4096, 4096)], made.Spec.Process.Rlimits!);
        Assert.Equal(10, made.Spec.Process.OomScoreAdj);
        Assert.Equal(3, made.Notes.Count);

        var able = SpecGenerator.Generate(s_image, asked, s_host with { OomScoreAdj = 10 }, _root.Path);
        Assert.Equal((-100, 9000UL), (able.Spec.Process.OomScoreAdj!.Value, able.Spec.Process.Rlimits!.Single(limit => limit.Type == "RLIMIT_NOFILE").Hard));
        Assert.Empty(able.Notes);

        var inside = SpecGenerator.Generate(s_image, asked, s_host with { OomScoreAdj = 10, InUserNamespace = true }, _root.Path);
        Assert.Equal((10, 4096UL), (inside.Spec.Process.OomScoreAdj!.Value, inside.Spec.Process.Rlimits!.Single(limit => limit.Type == "RLIMIT_NOFILE").Hard));
    }

    [Fact]
    public void Rights_BelowTheOwnLimits_AreAsAsked()
    {
        var host = s_host with { Capabilities = Capabilities.Default.ToHashSet(), OomScoreAdj = -10 };
        var made = SpecGenerator.Generate(s_image, new ContainerOptions { Ulimits = [new("RLIMIT_NOFILE", 4096, 5)], OomScoreAdj = -10 }, host, _root.Path);
        Assert.Equal((4096UL, -10), (made.Spec.Process.Rlimits![0].Hard, made.Spec.Process.OomScoreAdj!.Value));
        Assert.Empty(made.Notes);
    }

    [Fact]
    public void Privileged_HasEverythingThatThisProcessHas()
    {
        var spec = Of(s_image, new ContainerOptions { Privileged = true, DroppedCapabilities = ["CAP_SYSLOG"] });
        Assert.Equal(Capabilities.Known.Count - 1, spec.Process.Capabilities.Bounding.Count);
        Assert.Null(spec.Linux.Seccomp);
        Assert.Null(spec.Linux.MaskedPaths);
        Assert.Null(spec.Linux.ReadonlyPaths);
        Assert.Equal([new DeviceRule { Allow = true, Access = "rwm" }], spec.Linux.Resources.Devices);
        Assert.Contains("rw", spec.Mounts.Single(mount => mount.Type == "sysfs").Options!);
        Assert.Contains(spec.Linux.Devices!, device => device is { Path: "/dev/null", Type: "c", Major: 1, Minor: 3 });
        Assert.DoesNotContain(spec.Linux.Devices!, device => device.Path.StartsWith("/dev/pts/", StringComparison.Ordinal));
    }

    [Fact]
    public void Cgroup2_BringsANamespaceAndTheMount()
    {
        var spec = SpecGenerator.Generate(s_image, new ContainerOptions(), s_host with { HasCgroup2 = true }, _root.Path).Spec;
        Assert.Contains(new NamespaceSpec("cgroup"), spec.Linux.Namespaces);
        Assert.Contains("ro", spec.Mounts.Single(mount => mount.Destination == "/sys/fs/cgroup").Options!);
        Assert.Null(spec.Linux.CgroupsPath);
        Assert.Equal("/a/b", Of(s_image, new ContainerOptions { Cgroup = "/a/b" }).Linux.CgroupsPath);
    }

    [Fact]
    public void HostNetwork_HasNoNamespaceAndTheHostsNames()
    {
        var spec = Of(s_image, new ContainerOptions { HostNetwork = true });
        Assert.DoesNotContain(new NamespaceSpec("network"), spec.Linux.Namespaces);
        Assert.Contains("ro", spec.Mounts.Single(mount => mount.Destination == "/etc/hosts").Options!);
        Assert.Contains(spec.Mounts, mount => mount.Type == "sysfs");

        var inside = SpecGenerator.Generate(s_image, new ContainerOptions { HostNetwork = true }, s_host with { InUserNamespace = true, HasTerminalGroup = false }, _root.Path).Spec;
        Assert.DoesNotContain(inside.Mounts, mount => mount.Type == "sysfs");
        Assert.DoesNotContain("gid=5", inside.Mounts.Single(mount => mount.Type == "devpts").Options!);
    }

    [Fact]
    public void Mounts_OfAUser_ReplaceOursAndStandBeforeWhatIsBelowThem()
    {
        var spec = Of(s_image, new ContainerOptions { Mounts = [MountText.ParseVolume($"{_root.Path}:/x/y"), MountText.ParseVolume($"{_root.Path}:/x"), MountText.Parse("type=tmpfs,dst=/dev/shm")] });
        var places = spec.Mounts.Select(mount => mount.Destination).ToList();
        Assert.Equal(["/x", "/x/y"], places.Where(place => place.StartsWith("/x", StringComparison.Ordinal)));
        Assert.Equal("tmpfs", spec.Mounts.Single(mount => mount.Destination == "/dev/shm").Source);
        Assert.Equal(places.Count, places.Distinct().Count());
    }

    [Fact]
    public void Mounts_OfWhatIsNotThereOrTwice_AreRefused()
    {
        Say.Fault(ErrorKind.NotFound, () => Of(s_image, new ContainerOptions { Mounts = [MountText.ParseVolume("/no/such:/x")] }), "/no/such");
        Say.Fault(
            ErrorKind.InvalidArgument,
            () => Of(s_image, new ContainerOptions { Mounts = [MountText.ParseVolume("/etc:/x"), MountText.Parse("type=tmpfs,dst=/x/.")] }), "/x");
    }

    [Fact]
    public void Volumes_OfAnImage_MountNothing()
    {
        var image = ImageProcess.Parse("""{"config":{"Cmd":["a"],"Volumes":{"/../../etc":{},"/data":{}},"ExposedPorts":{"80/tcp":{}}}}"""u8);
        Assert.Equal(Of(s_image, new ContainerOptions()).Mounts.Select(mount => mount.Destination), Of(image, new ContainerOptions()).Mounts.Select(mount => mount.Destination));
    }

    [Fact]
    public void Resources_OfAUser_AreInTheKernelsUnits()
    {
        var resources = Of(s_image, new ContainerOptions { MemoryBytes = 1 << 28, Cpus = 1.5m, Pids = 100 }).Linux.Resources;
        Assert.Equal((1L << 28, 150_000L, 100_000UL, 100L), (resources.Memory!.Limit, resources.Cpu!.Quota, resources.Cpu.Period, resources.Pids!.Limit));
    }

    [Fact]
    public void Devices_OfAUser_AreMadeAndAllowed()
    {
        var spec = Of(s_image, new ContainerOptions { Devices = [DeviceText.Parse("/dev/zero:/dev/nought:r")] });
        Assert.Contains(spec.Linux.Devices!, device => device is { Path: "/dev/nought", Type: "c", Major: 1, Minor: 5 });
        Assert.Equal(new DeviceRule { Allow = true, Type = "c", Major = 1, Minor = 5, Access = "r" }, spec.Linux.Resources.Devices[^1]);
        Say.Fault(ErrorKind.NotFound, () => Of(s_image, new ContainerOptions { Devices = [DeviceText.Parse("/dev/no-such")] }), "/dev/no-such");
        Say.Fault(ErrorKind.InvalidArgument, () => Of(s_image, new ContainerOptions { Devices = [DeviceText.Parse("/etc/passwd")] }), "no device");
        Say.Fault(ErrorKind.InvalidArgument, () => Of(s_image, new ContainerOptions { Devices = [DeviceText.Parse("/tmp")] }), "no device");
    }

    [Fact]
    public void Check_BeforeThereIsARoot_FindsWhatNeedsNone()
    {
        SpecGenerator.Check(s_image with { User = "nosuch" }, new ContainerOptions(), s_host);
        Say.Fault(ErrorKind.InvalidArgument, () => SpecGenerator.Check(s_image with { User = "4294967296" }, new ContainerOptions(), s_host), "4294967296");
        Say.Fault(ErrorKind.InvalidArgument, () => SpecGenerator.Check(s_image, new ContainerOptions { Hostname = "a b" }, s_host), "'a b'");
    }

    private static string[] Words(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries);

    private IReadOnlyList<string> Bounding(string[] added, string[] dropped) =>
        Of(s_image, new ContainerOptions { AddedCapabilities = added, DroppedCapabilities = dropped }).Process.Capabilities.Bounding;

    private RuntimeSpec Of(ImageProcess image, ContainerOptions options) => Generate(image, options).Spec;

    private GeneratedSpec Generate(ImageProcess image, ContainerOptions options) => SpecGenerator.Generate(image, options, s_host, _root.Path);
}
