using ImageStore.Runtime.Host;
using ImageStore.Runtime.Options;
using ImageStore.Runtime.Spec;

namespace ImageStore.Runtime.Generation;

/// <summary>What a container may, cut to what this process may give: a runtime that it starts fails at the rest.</summary>
internal static class Rights
{
    private const string OpenFiles = "RLIMIT_NOFILE";
    private const ulong UsualOpenFiles = 1024;
    private const string RaisesLimits = "CAP_SYS_RESOURCE";

    /// <summary>The capabilities, ordered by name.</summary>
    public static IReadOnlyList<string> Capabilities(ContainerOptions options, HostFacts host, List<string> notes)
    {
        var start = options.Privileged ? host.Capabilities : (IEnumerable<string>)Security.Capabilities.Default;
        var chosen = Security.Capabilities.Choose(start, options.AddedCapabilities, options.DroppedCapabilities);
        var lacking = chosen.Except(host.Capabilities, StringComparer.Ordinal).ToList();
        if (lacking.Count > 0)
        {
            notes.Add($"left out, as this process does not have it: {string.Join(", ", lacking)}");
        }

        return [.. chosen.Except(lacking, StringComparer.Ordinal)];
    }

    /// <summary>The limits: that of open files, and what the user asks.</summary>
    public static IReadOnlyList<RlimitSpec> Limits(ContainerOptions options, HostFacts host, List<string> notes)
    {
        SortedDictionary<string, RlimitSpec> limits = new(StringComparer.Ordinal) { [OpenFiles] = new(OpenFiles, UsualOpenFiles, UsualOpenFiles) };
        foreach (var limit in options.Ulimits)
        {
            limits[limit.Type] = limit;
        }

        return [.. limits.Values.Select(limit => Lowered(limit, host, notes))];
    }

    /// <summary>How early it is ended, or null.</summary>
    public static int? OomScore(ContainerOptions options, HostFacts host, List<string> notes)
    {
        if (options.OomScoreAdj is not { } wanted || wanted >= host.OomScoreAdj || MayRaise(host))
        {
            return options.OomScoreAdj;
        }

        notes.Add($"the OOM score is {host.OomScoreAdj} instead of {wanted}: a lower one than its own takes CAP_SYS_RESOURCE, which this process does not have");
        return host.OomScoreAdj;
    }

    private static RlimitSpec Lowered(RlimitSpec limit, HostFacts host, List<string> notes)
    {
        if (MayRaise(host) || !host.Limits.TryGetValue(limit.Type, out var most) || limit.Hard <= most)
        {
            return limit;
        }

        notes.Add($"{limit.Type} is {most} instead of {Shown(limit.Hard)}: a higher one takes CAP_SYS_RESOURCE, which this process does not have");
        return new RlimitSpec(limit.Type, most, Math.Min(limit.Soft, most));
    }

    // The kernel asks for it outside of any user namespace.
    private static bool MayRaise(HostFacts host) => host.Capabilities.Contains(RaisesLimits) && !host.InUserNamespace;

    private static string Shown(ulong limit) => limit == RlimitSpec.Unlimited ? "unlimited" : limit.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
