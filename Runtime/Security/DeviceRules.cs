using ImageStore.Runtime.Spec;

namespace ImageStore.Runtime.Security;

/// <summary>Which devices a container may use.</summary>
internal static class DeviceRules
{
    /// <summary>Read, write and make.</summary>
    public const string AnyUse = "rwm";

    // null, zero, full, random, urandom; tty, console, ptmx; and the terminals of devpts, whatever their numbers.
    private static readonly (long Major, long? Minor)[] s_usual =
        [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2), (136, null)];

    /// <summary>None but those that every container has.</summary>
    public static IReadOnlyList<DeviceRule> Default { get; } =
    [
        new DeviceRule { Allow = false, Access = AnyUse },
        .. s_usual.Select(one => new DeviceRule { Allow = true, Type = "c", Major = one.Major, Minor = one.Minor, Access = AnyUse }),
    ];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<DeviceRule> Everything { get; } = [new DeviceRule { Allow = true, Access = AnyUse }];
}
