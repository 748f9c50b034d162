using System.Collections;

namespace ImageStore.Shim.Invocation;

/// <summary>The environments of the shim and of what it runs.</summary>
internal static class ShimEnvironment
{
    private const string EventsName = "TTRPC_ADDRESS";
    private const string OfDotnet = "DOTNET_";

    // A shim allocates little and seldom: it collects after each 256 KiB, whatever the size of the machine's caches.
    private static readonly (string Name, string Value)[] s_own = [("DOTNET_GCgen0size", "0x40000"), ("DOTNET_GCConserveMemory", "9")];

    // What systemd told containerd is not for others: with the first, runc waits for its container to say that it is ready.
    private static readonly string[] s_ofSystemd = ["NOTIFY_SOCKET", "LISTEN_", "WATCHDOG_"];

    /// <summary>containerd's socket for events, or empty where there is none.</summary>
    public static string EventsSocket => Environment.GetEnvironmentVariable(EventsName) ?? string.Empty;

    /// <summary>The shim's: as this process has it, and how its memory is managed.</summary>
    /// <param name="eventsSocket">containerd's socket for events where it is told in another way, else empty.</param>
    public static List<string> OfShim(string eventsSocket)
    {
        List<(string Name, string Value)> own = [.. s_own];
        if (eventsSocket.Length > 0)
        {
            own.Add((EventsName, eventsSocket));
        }

        return [.. Inherited(name => !IsOfSystemd(name) && own.All(one => one.Name != name)), .. own.Select(one => $"{one.Name}={one.Value}")];
    }

    /// <summary>A runtime's: as this process has it, without what is the shim's own.</summary>
    public static List<string> OfCommands() => [.. Inherited(name => !IsOfSystemd(name) && !name.StartsWith(OfDotnet, StringComparison.Ordinal))];

    private static IEnumerable<string> Inherited(Func<string, bool> isWanted) =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(entry => isWanted((string)entry.Key))
            .Select(entry => $"{entry.Key}={entry.Value}");

    private static bool IsOfSystemd(string name) => s_ofSystemd.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));
}
