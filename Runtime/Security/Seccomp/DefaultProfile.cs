using System.Runtime.InteropServices;
using ImageStore.Runtime.Spec;

namespace ImageStore.Runtime.Security.Seccomp;

/// <summary>The filter of system calls that a container gets unless something else is said.</summary>
/// <remarks>The same as containerd's newest: what is not listed fails with EPERM, and each capability brings the calls that it is for.</remarks>
internal static class DefaultProfile
{
    private const string Allow = "SCMP_ACT_ALLOW";
    private const string Refuse = "SCMP_ACT_ERRNO";
    private const string Equal = "SCMP_CMP_EQ";
    private const uint NotImplemented = 38;

    private const ulong AlgorithmSockets = 38; // AF_ALG
    private const ulong MachineSockets = 40; // AF_VSOCK

    // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET.
    private const ulong NewNamespaces = 0x20000 | 0x2000000 | 0x4000000 | 0x8000000 | 0x10000000 | 0x20000000 | 0x40000000;

    // PER_LINUX, PER_LINUX32, both with UNAME26, and the question which one it is.
    private static readonly ulong[] s_personalities = [0, 0x8, 0x20000, 0x20008, 0xffffffff];

    private static readonly Dictionary<string, string> s_ofCapability = new(StringComparer.Ordinal)
    {
        ["CAP_BPF"] = "bpf",
        ["CAP_DAC_READ_SEARCH"] = "open_by_handle_at",
        ["CAP_PERFMON"] = "perf_event_open",
        ["CAP_SYSLOG"] = "syslog",
        ["CAP_SYS_ADMIN"] =
            """
            bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount open_tree
            perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare
            """,
        ["CAP_SYS_BOOT"] = "reboot",
        ["CAP_SYS_CHROOT"] = "chroot",
        ["CAP_SYS_MODULE"] = "delete_module finit_module init_module",
        ["CAP_SYS_NICE"] = "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
        ["CAP_SYS_PACCT"] = "acct",
        ["CAP_SYS_PTRACE"] = "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
        ["CAP_SYS_RAWIO"] = "ioperm iopl",
        ["CAP_SYS_TIME"] = "clock_settime clock_settime64 settimeofday stime",
        ["CAP_SYS_TTY_CONFIG"] = "vhangup",
    };

    private static readonly Dictionary<Architecture, (string Filtered, string Calls)> s_ofArchitecture = new()
    {
        [Architecture.X64] = ("SCMP_ARCH_X86_64 SCMP_ARCH_X86 SCMP_ARCH_X32", "arch_prctl modify_ldt"),
        [Architecture.X86] = ("SCMP_ARCH_X86", "modify_ldt"),
        [Architecture.Arm64] = ("SCMP_ARCH_AARCH64 SCMP_ARCH_ARM", ArmCalls),
        [Architecture.Arm] = ("SCMP_ARCH_ARM", ArmCalls),
        [Architecture.S390x] = ("SCMP_ARCH_S390X SCMP_ARCH_S390", "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr"),
        [Architecture.Ppc64le] = ("SCMP_ARCH_PPC64LE", "swapcontext sync_file_range2"),
        [Architecture.LoongArch64] = ("SCMP_ARCH_LOONGARCH64", ""),
        [Architecture.RiscV64] = ("SCMP_ARCH_RISCV64", "riscv_flush_icache riscv_hwprobe"),
    };

    private const string ArmCalls = "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2";

    /// <summary>The filter for a container with <paramref name="capabilities"/>.</summary>
    public static SeccompSpec For(IReadOnlyCollection<string> capabilities, Architecture machine)
    {
        var (filtered, own) = s_ofArchitecture.GetValueOrDefault(machine, ("", ""));
        var more = capabilities.Select(name => s_ofCapability.GetValueOrDefault(name, "")).Append(own).SelectMany(UsualCalls.Words);
        List<SeccompRule> rules =
        [
            new SeccompRule { Names = [.. UsualCalls.Names.Concat(more).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)], Action = Allow },
            .. Sockets(),
            .. s_personalities.Select(personality => When("personality", new SeccompArgument(0, personality, 0, Equal))),
        ];
        if (!capabilities.Contains("CAP_SYS_ADMIN"))
        {
            // On s390 the flags are the second argument.
            rules.Add(When("clone", new SeccompArgument(machine == Architecture.S390x ? 1U : 0U, NewNamespaces, 0, "SCMP_CMP_MASKED_EQ")));

            // Its flags are in memory, which no filter reads; told that there is no such call, C libraries take clone.
            rules.Add(new SeccompRule { Names = ["clone3"], Action = Refuse, ErrnoRet = NotImplemented });
        }

        return new SeccompSpec { DefaultAction = Refuse, Architectures = UsualCalls.Words(filtered), Syscalls = rules };
    }

    // All families but the kernel's ciphers and the machine's host. Conditions on one argument are alternatives for runc, so "neither of
    // two" cannot be said but by the ranges that are left.
    private static SeccompRule[] Sockets() =>
    [
        When("socket", new SeccompArgument(0, AlgorithmSockets, 0, "SCMP_CMP_LT")),
        When("socket", new SeccompArgument(0, AlgorithmSockets + 1, 0, Equal)),
        When("socket", new SeccompArgument(0, MachineSockets, 0, "SCMP_CMP_GT")),
    ];

    private static SeccompRule When(string call, SeccompArgument argument) => new() { Names = [call], Action = Allow, Args = [argument] };
}
