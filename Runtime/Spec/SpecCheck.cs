using System.Text.RegularExpressions;
using ImageStore.Runtime.Host;
using ImageStore.Runtime.Security;
using ImageStore.Runtime.Users;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Spec;

/// <summary>Looks over a configuration before it is written: a runtime's own complaint names no option and no image.</summary>
internal static partial class SpecCheck
{
    private const int MaxHostname = 64;
    private const int MinOomScore = -1000;
    private const int MaxOomScore = 1000;
    private const int MaxArguments = 6;
    private const long MinCpuQuota = 1000;

    // execve(2) takes no single word that is longer: 32 pages.
    private const int MaxWordBytes = 128 << 10;

    /// <exception cref="ImageStoreException">The first fault: what is wrong, and the option that helps.</exception>
    public static void Check(RuntimeSpec spec)
    {
        CheckProcess(spec.Process);
        CheckHost(spec);
        CheckMounts(spec.Mounts);
        CheckLinux(spec.Linux);
    }

    private static void CheckProcess(ProcessSpec process)
    {
        Need(process.Args is [{ Length: > 0 }, ..], "The command is empty.", "Write the command after DIR.");
        CheckWords("argument", process.Args);
        CheckWords("variable", process.Env);
        CheckWords("working directory", [process.Cwd]);
        Need(process.Cwd.StartsWith('/'), $"The working directory '{Printable.Of(process.Cwd)}' is not absolute.", "Name one with --workdir, from / on.");
        foreach (var id in (process.User.AdditionalGids ?? []).Append(process.User.Gid).Append(process.User.Uid))
        {
            Need(id <= UserText.MaxId, $"The id {id} is above {UserText.MaxId}.", "Name the user by numbers with --user, as UID:GID.");
        }

        foreach (var name in process.Capabilities.Bounding)
        {
            Need(Capabilities.Known.Contains(name), $"There is no capability '{Printable.Of(name)}'.", "Write one of capabilities(7), such as NET_ADMIN.");
        }

        foreach (var limit in process.Rlimits ?? [])
        {
            Need(HostLimits.Types.Contains(limit.Type), $"There is no limit '{Printable.Of(limit.Type)}'.", "The names are those of setrlimit(2).");
            Need(limit.Soft <= limit.Hard, $"{limit.Type} has a soft limit above the hard one.", "Write --ulimit NAME=SOFT:HARD.");
        }

        Need(
            process.OomScoreAdj is null or (>= MinOomScore and <= MaxOomScore),
            $"The OOM score {process.OomScoreAdj} is out of range.", $"Write --oom-score-adj with a number from {MinOomScore} to {MaxOomScore}.");
    }

    private static void CheckHost(RuntimeSpec spec)
    {
        Need(
            spec.Hostname is null || (spec.Hostname.Length <= MaxHostname && Hostname().IsMatch(spec.Hostname)),
            $"'{Printable.Of(spec.Hostname)}' is no host's name.", $"Write --hostname with letters, digits, '-' and '.', at most {MaxHostname} of them.");
        foreach (var (name, value) in spec.Annotations ?? new Dictionary<string, string>())
        {
            Need(name.Length > 0, "An annotation has no name.", "Write --label NAME=VALUE.");
            CheckNul("annotation", name);
            CheckNul("annotation", value);
        }
    }

    private static void CheckMounts(IReadOnlyList<MountSpec> mounts)
    {
        foreach (var mount in mounts)
        {
            Need(
                mount.Destination.StartsWith('/') && mount.Type is { Length: > 0 },
                $"The mount on '{Printable.Of(mount.Destination)}' has no absolute place or no type.", "Write --mount type=bind,src=DIR,dst=DIR.");
            CheckWords("mount", [mount.Destination, mount.Source ?? string.Empty, .. mount.Options ?? []]);
        }
    }

    private static void CheckLinux(LinuxSpec linux)
    {
        Need(
            linux.CgroupsPath is null || (linux.CgroupsPath.StartsWith('/') && !linux.CgroupsPath.Split('/').Contains("..")),
            $"The control group '{Printable.Of(linux.CgroupsPath)}' is no absolute path.", "Write --cgroup with a path from / on, without '..'.");
        Need(linux.Resources.Memory is not { Limit: <= 0 }, "The limit of memory is not above 0.", "Write --memory such as 256M.");
        Need(
            linux.Resources.Cpu is not { Quota: < MinCpuQuota },
            "The limit of processor time is below what the kernel takes.", "Write --cpus with 0.01 or more.");
        Need(linux.Resources.Pids is not { Limit: 0 or < -1 }, "The limit of processes is not above 0.", "Write --pids-limit with a number from 1 on, or -1 for none.");
        if (linux.Seccomp is { } seccomp)
        {
            CheckSeccomp(seccomp);
        }
    }

    private static void CheckSeccomp(SeccompSpec seccomp)
    {
        CheckWord(seccomp.DefaultAction, Action());
        foreach (var architecture in seccomp.Architectures ?? [])
        {
            CheckWord(architecture, Architecture());
        }

        foreach (var rule in seccomp.Syscalls ?? [])
        {
            Need(rule.Names is { Count: > 0 } && rule.Names.All(name => Call().IsMatch(name ?? string.Empty)), "A rule of the seccomp profile names no system calls.", Remedy);
            CheckWord(rule.Action, Action());
            foreach (var argument in rule.Args ?? [])
            {
                Need(argument.Index < MaxArguments, $"A rule of the seccomp profile has the argument {argument.Index}; there are 0 to {MaxArguments - 1}.", Remedy);
                CheckWord(argument.Op, Comparison());
            }
        }

        void CheckWord(string? word, Regex known) =>
            Need(known.IsMatch(word ?? string.Empty), $"The seccomp profile has '{Printable.Of(word)}', which the specification does not know.", Remedy);
    }

    private const string Remedy = "Write the file as linux.seccomp of the OCI runtime specification.";

    private static void CheckWords(string what, IEnumerable<string> words)
    {
        foreach (var word in words)
        {
            CheckNul(what, word);
            Need(
                word.Length < MaxWordBytes && System.Text.Encoding.UTF8.GetByteCount(word) < MaxWordBytes,
                $"The {what} '{Printable.Of(word.AsSpan(0, Math.Min(40, word.Length)))}…' has {MaxWordBytes} bytes or more, which the kernel does not take.",
                "Make it shorter, or put it into a file.");
        }
    }

    private static void CheckNul(string what, string word) =>
        Need(!word.Contains('\0', StringComparison.Ordinal), $"The {what} '{Printable.Of(word)}' has a NUL, which ends it.", "Leave it out.");

    private static void Need(bool holds, string message, string remedy)
    {
        if (!holds)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, message, remedy);
        }
    }

    [GeneratedRegex(@"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\z")]
    private static partial Regex Hostname();

    [GeneratedRegex(@"^SCMP_ACT_(ALLOW|ERRNO|KILL|KILL_PROCESS|KILL_THREAD|LOG|NOTIFY|TRACE|TRAP)\z")]
    private static partial Regex Action();

    [GeneratedRegex(@"^SCMP_ARCH_[A-Z0-9_]+\z")]
    private static partial Regex Architecture();

    [GeneratedRegex(@"^SCMP_CMP_(EQ|NE|LT|LE|GT|GE|MASKED_EQ)\z")]
    private static partial Regex Comparison();

    [GeneratedRegex(@"^[a-z0-9_]+\z")]
    private static partial Regex Call();
}
