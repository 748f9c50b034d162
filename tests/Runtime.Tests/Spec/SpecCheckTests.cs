using ImageStore.Runtime.Spec;
using ImageStore.Runtime.Tests.Support;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tests.Spec;

/// <summary>Each fault that a configuration may have, and the words for it.</summary>
public sealed class SpecCheckTests
{
    private static readonly CapabilitySets s_none = new() { Bounding = [], Effective = [], Permitted = [] };

    private static readonly RuntimeSpec s_good = new()
    {
        Process = new ProcessSpec { User = new UserSpec { Uid = 0, Gid = 0 }, Args = ["a"], Env = ["A=b"], Cwd = "/", Capabilities = s_none },
        Root = new RootSpec { Path = "rootfs" },
        Mounts = [new MountSpec { Destination = "/proc", Type = "proc" }],
        Linux = new LinuxSpec { Namespaces = [new("pid")], Resources = new ResourcesSpec { Devices = [] } },
    };

    public static TheoryData<string, Func<RuntimeSpec, RuntimeSpec>> Faults => new()
    {
        { "command is empty", spec => Process(spec, process => process with { Args = [] }) },
        { "NUL", spec => Process(spec, process => process with { Args = ["a", "b\0c"] }) },
        { "bytes or more", spec => Process(spec, process => process with { Args = [new string('x', 128 << 10)] }) },
        { "NUL", spec => Process(spec, process => process with { Env = ["A=\0"] }) },
        { "not absolute", spec => Process(spec, process => process with { Cwd = "srv" }) },
        { "id 2147483648", spec => Process(spec, process => process with { User = new UserSpec { Uid = 1U << 31, Gid = 0 } }) },
        { "id 4294967295", spec => Process(spec, process => process with { User = new UserSpec { Uid = 0, Gid = 0, AdditionalGids = [uint.MaxValue] } }) },
        { "CAP_ODD", spec => Process(spec, process => process with { Capabilities = s_none with { Bounding = ["CAP_ODD"] } }) },
        { "RLIMIT_ODD", spec => Process(spec, process => process with { Rlimits = [new("RLIMIT_ODD", 1, 1)] }) },
        { "soft limit", spec => Process(spec, process => process with { Rlimits = [new("RLIMIT_CPU", 1, 2)] }) },
        { "OOM score 1001", spec => Process(spec, process => process with { OomScoreAdj = 1001 }) },
        { "'-a'", spec => spec with { Hostname = "-a" } },
        { "host's name", spec => spec with { Hostname = new string('a', 65) } },
        { "annotation", spec => spec with { Annotations = new Dictionary<string, string> { [""] = "x" } } },
        { "annotation", spec => spec with { Annotations = new Dictionary<string, string> { ["a"] = "\0" } } },
        { "mount on 'data'", spec => spec with { Mounts = [new MountSpec { Destination = "data", Type = "bind" }] } },
        { "mount on '/data'", spec => spec with { Mounts = [new MountSpec { Destination = "/data" }] } },
        { "control group", spec => spec with { Linux = spec.Linux with { CgroupsPath = "a" } } },
        { "control group", spec => spec with { Linux = spec.Linux with { CgroupsPath = "/a/../.." } } },
        { "memory", spec => Resources(spec, resources => resources with { Memory = new(0) }) },
        { "processor time", spec => Resources(spec, resources => resources with { Cpu = new(999, 100_000) }) },
        { "processes", spec => Resources(spec, resources => resources with { Pids = new(-2) }) },
        { "SCMP_ODD", spec => Seccomp(spec, new SeccompSpec { DefaultAction = "SCMP_ODD" }) },
        { "x86", spec => Seccomp(spec, new SeccompSpec { DefaultAction = "SCMP_ACT_LOG", Architectures = ["x86"] }) },
        { "no system calls", spec => Seccomp(spec, Rule(new SeccompRule { Names = [], Action = "SCMP_ACT_LOG" })) },
        { "no system calls", spec => Seccomp(spec, Rule(new SeccompRule { Names = ["a b"], Action = "SCMP_ACT_LOG" })) },
        { "ALLOW", spec => Seccomp(spec, Rule(new SeccompRule { Names = ["a"], Action = "ALLOW" })) },
        { "argument 6", spec => Seccomp(spec, Rule(new SeccompRule { Names = ["a"], Action = "SCMP_ACT_LOG", Args = [new(6, 0, 0, "SCMP_CMP_EQ")] })) },
        { "SCMP_CMP_ODD", spec => Seccomp(spec, Rule(new SeccompRule { Names = ["a"], Action = "SCMP_ACT_LOG", Args = [new(0, 0, 0, "SCMP_CMP_ODD")] })) },
    };

    [Fact]
    public void Check_OfAGoodOne_SaysNothing() => SpecCheck.Check(s_good);

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public void Check_OfAFault_NamesIt(string word, Func<RuntimeSpec, RuntimeSpec> spoil) =>
        Say.Fault(ErrorKind.InvalidArgument, () => SpecCheck.Check(spoil(s_good)), word);

    private static RuntimeSpec Process(RuntimeSpec spec, Func<ProcessSpec, ProcessSpec> change) => spec with { Process = change(spec.Process) };

    private static RuntimeSpec Resources(RuntimeSpec spec, Func<ResourcesSpec, ResourcesSpec> change) =>
        spec with { Linux = spec.Linux with { Resources = change(spec.Linux.Resources) } };

    private static RuntimeSpec Seccomp(RuntimeSpec spec, SeccompSpec seccomp) => spec with { Linux = spec.Linux with { Seccomp = seccomp } };

    private static SeccompSpec Rule(SeccompRule rule) => new() { DefaultAction = "SCMP_ACT_ERRNO", Syscalls = [rule] };
}
