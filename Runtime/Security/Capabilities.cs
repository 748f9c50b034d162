using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Security;

/// <summary>The names of capabilities(7), by their numbers, and which of them a container has.</summary>
public static class Capabilities
{
    /// <summary>The word for all of them in <c>--cap-add</c> and <c>--cap-drop</c>.</summary>
    public const string All = "ALL";

    private const string Prefix = "CAP_";

    /// <summary>All names; the index is the kernel's number.</summary>
    public static IReadOnlyList<string> Known { get; } =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
        "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
        "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
        "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
        "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ];

    /// <summary>What a container has unless something else is said; containerd's and Docker's fourteen.</summary>
    public static IReadOnlyList<string> Default { get; } =
    [
        "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD", "CAP_NET_BIND_SERVICE",
        "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
    ];

    /// <summary>A name as the kernel has it: <c>net_admin</c> and <c>CAP_NET_ADMIN</c> are one; <see cref="All"/> for all.</summary>
    /// <exception cref="ImageStoreException">There is none of that name (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static string Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var upper = text.ToUpperInvariant();
        if (upper == All)
        {
            return All;
        }

        var full = upper.StartsWith(Prefix, StringComparison.Ordinal) ? upper : Prefix + upper;
        return Known.Contains(full)
            ? full
            : throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"There is no capability '{Printable.Of(text)}'.",
                "Write one of capabilities(7), such as NET_ADMIN, or ALL.");
    }

    /// <summary>The names of the bits of a set, as <c>/proc/self/status</c> has it.</summary>
    public static IReadOnlySet<string> Of(ulong bits) =>
        Known.Where((_, number) => (bits & (1UL << number)) != 0).ToHashSet(StringComparer.Ordinal);

    /// <summary>What is left of <paramref name="start"/>: what is added comes in, then what is dropped goes, as docker has it.</summary>
    /// <param name="start">What a container has anyway.</param>
    /// <param name="added">Names, or <see cref="All"/>.</param>
    /// <param name="dropped">Names, or <see cref="All"/>, which leaves what is added by name.</param>
    internal static SortedSet<string> Choose(IEnumerable<string> start, IReadOnlyList<string> added, IReadOnlyList<string> dropped)
    {
        SortedSet<string> chosen = new(dropped.Contains(All) ? [] : start, StringComparer.Ordinal);
        chosen.UnionWith(added.Contains(All) ? Known : added);
        chosen.ExceptWith(dropped);
        return chosen;
    }
}
