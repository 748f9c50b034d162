using System.Globalization;
using ImageStore.Runtime.Spec;

namespace ImageStore.Runtime.Host;

/// <summary>The hard limits of a process, out of <c>/proc/PID/limits</c>.</summary>
internal static class HostLimits
{
    // The file has a column of this width for what each limit is.
    private const int NameWidth = 26;

    private static readonly Dictionary<string, string> s_types = new(StringComparer.Ordinal)
    {
        ["Max cpu time"] = "RLIMIT_CPU",
        ["Max file size"] = "RLIMIT_FSIZE",
        ["Max data size"] = "RLIMIT_DATA",
        ["Max stack size"] = "RLIMIT_STACK",
        ["Max core file size"] = "RLIMIT_CORE",
        ["Max resident set"] = "RLIMIT_RSS",
        ["Max processes"] = "RLIMIT_NPROC",
        ["Max open files"] = "RLIMIT_NOFILE",
        ["Max locked memory"] = "RLIMIT_MEMLOCK",
        ["Max address space"] = "RLIMIT_AS",
        ["Max file locks"] = "RLIMIT_LOCKS",
        ["Max pending signals"] = "RLIMIT_SIGPENDING",
        ["Max msgqueue size"] = "RLIMIT_MSGQUEUE",
        ["Max nice priority"] = "RLIMIT_NICE",
        ["Max realtime priority"] = "RLIMIT_RTPRIO",
        ["Max realtime timeout"] = "RLIMIT_RTTIME",
    };

    /// <summary>All types that the kernel has.</summary>
    public static IReadOnlyCollection<string> Types => s_types.Values;

    public static Dictionary<string, ulong> Read(string file)
    {
        Dictionary<string, ulong> found = new(StringComparer.Ordinal);
        if (!File.Exists(file))
        {
            return found;
        }

        foreach (var line in File.ReadLines(file).Where(line => line.Length > NameWidth))
        {
            if (s_types.TryGetValue(line[..NameWidth].Trim(), out var type)
                && line[NameWidth..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var hard, ..])
            {
                found[type] = ulong.TryParse(hard, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : RlimitSpec.Unlimited;
            }
        }

        return found;
    }
}
