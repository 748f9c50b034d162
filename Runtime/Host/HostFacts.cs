using System.Globalization;
using System.Runtime.InteropServices;
using ImageStore.Runtime.Spec;
using ImageStore.Store.Interop;

namespace ImageStore.Runtime.Host;

/// <summary>What a container's configuration has to know of the machine and of the process that makes it.</summary>
public sealed record HostFacts
{
    /// <summary>The processor, as the kernel calls it.</summary>
    public Architecture Architecture { get; init; } = RuntimeInformation.OSArchitecture;

    /// <summary>Is there the one hierarchy of control groups, of version 2, alone?</summary>
    public bool HasCgroup2 { get; init; }

    /// <summary>The capabilities that this process has, and so can give.</summary>
    public IReadOnlySet<string> Capabilities { get; init; } = new HashSet<string>();

    /// <summary>The highest that this process may set each limit, by names such as <c>RLIMIT_NOFILE</c>.</summary>
    public IReadOnlyDictionary<string, ulong> Limits { get; init; } = new Dictionary<string, ulong>();

    /// <summary>This process's own <c>oom_score_adj</c>.</summary>
    public int OomScoreAdj { get; init; }

    /// <summary>Is it in a user namespace, where root is nobody's root outside?</summary>
    public bool InUserNamespace { get; init; }

    /// <summary>Does the group of terminals, 5, exist here?</summary>
    public bool HasTerminalGroup { get; init; } = true;

    /// <summary>May groups be set?</summary>
    public bool CanSetGroups { get; init; } = true;

    /// <summary>Reads them.</summary>
    /// <param name="process">The folder of this process in procfs.</param>
    /// <param name="cgroups">Where control groups are mounted.</param>
    public static HostFacts Read(string process = "/proc/self", string cgroups = "/sys/fs/cgroup") => new()
    {
        HasCgroup2 = File.Exists(Path.Combine(cgroups, "cgroup.controllers")),
        Capabilities = Security.Capabilities.Of(ProcessRights.Effective),
        Limits = HostLimits.Read(Path.Combine(process, "limits")),
        OomScoreAdj = int.TryParse(Text(process, "oom_score_adj"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var score) ? score : 0,
        InUserNamespace = !Ids(process, "uid_map").Any(range => range is (0, uint.MaxValue)),
        HasTerminalGroup = Ids(process, "gid_map").Any(range => range.First <= DefaultMounts.TerminalGroup && DefaultMounts.TerminalGroup - range.First < range.Count),
        CanSetGroups = Text(process, "setgroups") != "deny",
    };

    private static string Text(string process, string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, name)).Trim();
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            // A kernel built without it does without.
            return string.Empty;
        }
    }

    private static IEnumerable<(uint First, uint Count)> Ids(string process, string name)
    {
        foreach (var line in Text(process, name).Split('\n'))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var inside, _, var size]
                && uint.TryParse(inside, NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                && uint.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            {
                yield return (first, count);
            }
        }
    }
}
