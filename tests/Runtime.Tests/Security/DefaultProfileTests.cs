using System.Runtime.InteropServices;
using ImageStore.Runtime.Security;
using ImageStore.Runtime.Security.Seccomp;

namespace ImageStore.Runtime.Tests.Security;

/// <summary>Which system calls a container may make.</summary>
public sealed class DefaultProfileTests
{
    // The number of names in containerd's newest default profile, with those of a kernel after 4.8.
    private const int UsualNames = 363 + 3;

    [Fact]
    public void Usual_AreAsManyAsContainerds()
    {
        Assert.Equal(UsualNames, UsualCalls.Names.Count);
        Assert.Equal(UsualNames, UsualCalls.Names.Distinct().Count());
        Assert.Equal(UsualNames + 3, Allowed(Capabilities.Default).Count); // chroot, arch_prctl, modify_ldt
    }

    [Theory]
    [InlineData("execve", true)]
    [InlineData("openat2", true)]
    [InlineData("clone3", false)]
    [InlineData("clone", false)]
    [InlineData("mount", false)]
    [InlineData("unshare", false)]
    [InlineData("setns", false)]
    [InlineData("bpf", false)]
    [InlineData("keyctl", false)]
    [InlineData("add_key", false)]
    [InlineData("io_uring_setup", false)]
    [InlineData("userfaultfd", false)]
    [InlineData("open_by_handle_at", false)]
    [InlineData("kexec_load", false)]
    [InlineData("init_module", false)]
    [InlineData("reboot", false)]
    [InlineData("pivot_root", false)]
    [InlineData("socket", false)]
    [InlineData("personality", false)]
    public void Default_AllowsWithoutConditions(string call, bool expected) => Assert.Equal(expected, Allowed(Capabilities.Default).Contains(call));

    [Theory]
    [InlineData("CAP_SYS_ADMIN", "mount clone clone3 unshare bpf setns")]
    [InlineData("CAP_DAC_READ_SEARCH", "open_by_handle_at")]
    [InlineData("CAP_SYS_BOOT", "reboot")]
    [InlineData("CAP_SYS_MODULE", "init_module finit_module delete_module")]
    [InlineData("CAP_SYS_PACCT", "acct")]
    [InlineData("CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise")]
    [InlineData("CAP_SYS_RAWIO", "iopl ioperm")]
    [InlineData("CAP_SYS_TIME", "settimeofday clock_settime")]
    [InlineData("CAP_SYS_TTY_CONFIG", "vhangup")]
    [InlineData("CAP_SYS_NICE", "mbind set_mempolicy")]
    [InlineData("CAP_SYSLOG", "syslog")]
    [InlineData("CAP_BPF", "bpf")]
    [InlineData("CAP_PERFMON", "perf_event_open")]
    public void Capability_BringsItsCallsAndWithoutItTheyAreRefused(string capability, string calls)
    {
        Assert.Empty(calls.Split(' ').Intersect(Allowed([])));
        Assert.Empty(calls.Split(' ').Except(Allowed([capability])));
    }

    [Fact]
    public void Clone_WithoutSysAdmin_MakesNoNamespaceAndClone3IsNotThere()
    {
        var rules = DefaultProfile.For(Capabilities.Default, Architecture.X64).Syscalls!;
        var clone = Assert.Single(rules, rule => rule.Names.Contains("clone"));
        var flags = Assert.Single(clone.Args!);
        Assert.Equal((0U, 0x7E020000UL, 0UL, "SCMP_CMP_MASKED_EQ"), (flags.Index, flags.Value, flags.ValueTwo, flags.Op));
        Assert.Equal(1U, Assert.Single(DefaultProfile.For([], Architecture.S390x).Syscalls!, rule => rule.Names.Contains("clone")).Args![0].Index);
        Assert.True(Assert.Single(rules, rule => rule.Names.Contains("clone3")) is { Action: "SCMP_ACT_ERRNO", ErrnoRet: 38 });
        Assert.DoesNotContain(DefaultProfile.For(["CAP_SYS_ADMIN"], Architecture.X64).Syscalls!, rule => rule.ErrnoRet is not null || rule.Names is ["clone"]);
    }

    [Theory]
    [InlineData(1, true)] // AF_UNIX
    [InlineData(2, true)] // AF_INET
    [InlineData(16, true)] // AF_NETLINK
    [InlineData(38, false)] // AF_ALG
    [InlineData(39, true)] // AF_NFC
    [InlineData(40, false)] // AF_VSOCK
    [InlineData(44, true)] // AF_XDP
    public void Socket_OfAFamily_IsAllowed(ulong family, bool expected) => Assert.Equal(expected, DefaultProfile.For([], Architecture.X64).Syscalls!
        .Where(rule => rule.Names.Contains("socket"))
        .Any(rule => Assert.Single(rule.Args!) is var argument && argument.Index == 0 && argument.Op switch
        {
            "SCMP_CMP_LT" => family < argument.Value,
            "SCMP_CMP_GT" => family > argument.Value,
            "SCMP_CMP_EQ" => family == argument.Value,
            _ => throw new InvalidOperationException(argument.Op),
        }));

    [Theory]
    [InlineData(Architecture.X64, "SCMP_ARCH_X86_64 SCMP_ARCH_X86 SCMP_ARCH_X32", "arch_prctl")]
    [InlineData(Architecture.Arm64, "SCMP_ARCH_AARCH64 SCMP_ARCH_ARM", "set_tls")]
    [InlineData(Architecture.S390x, "SCMP_ARCH_S390X SCMP_ARCH_S390", "s390_runtime_instr")]
    [InlineData(Architecture.RiscV64, "SCMP_ARCH_RISCV64", "riscv_flush_icache")]
    public void Architecture_HasItsOwnCallsAlone(Architecture machine, string filtered, string call)
    {
        var profile = DefaultProfile.For([], machine);
        Assert.Equal("SCMP_ACT_ERRNO", profile.DefaultAction);
        Assert.Equal(filtered, string.Join(' ', profile.Architectures!));
        Assert.Contains(call, Allowed([], machine));
        Assert.DoesNotContain(call, Allowed([], machine == Architecture.X64 ? Architecture.Arm64 : Architecture.X64));
    }

    private static HashSet<string> Allowed(IReadOnlyList<string> capabilities, Architecture machine = Architecture.X64) =>
        [.. DefaultProfile.For(capabilities, machine).Syscalls!.Where(rule => rule is { Action: "SCMP_ACT_ALLOW", Args: null }).SelectMany(rule => rule.Names)];
}
