using System.Collections;

namespace ImageStore.Shim.Invocation;

/// <summary>The environments of the shim and of what it runs.</summary>
internal static class ShimEnvironment
{
    private const string OwnPrefix = "DOTNET_";

    // A shim allocates little and seldom: it collects after each 256 KiB, whatever the size of the machine's caches.
    private static readonly string[] s_own = ["DOTNET_GCgen0size=0x40000", "DOTNET_GCConserveMemory=9"];

    /// <summary>The shim's: as this process has it, and how its memory is managed.</summary>
    public static List<string> OfShim() => [.. OfCommands(), .. s_own];

    /// <summary>A runtime's: as this process has it, without what is the shim's own.</summary>
    public static List<string> OfCommands() =>
    [
        .. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(entry => !((string)entry.Key).StartsWith(OwnPrefix, StringComparison.Ordinal))
            .Select(entry => $"{entry.Key}={entry.Value}"),
    ];
}
