using System.Globalization;

namespace ImageStore.Integration.Tests.Durability;

/// <summary>What the environment says of these tests.</summary>
internal static class Settings
{
    /// <summary>Everything is tried, instead of a sample.</summary>
    public static bool Full { get; } = Text("IMAGESTORE_DURABILITY") == "full";

    /// <summary>What chance begins with.</summary>
    public static int Seed { get; } = Number("IMAGESTORE_DURABILITY_SEED") ?? Environment.TickCount & 0xFFFFFF;

    /// <summary>The one case that is tried, as a failure names it, or null.</summary>
    public static string? Only { get; } = Text("IMAGESTORE_DURABILITY_ONLY");

    /// <summary>A folder that gets each root that failed, as it was before it was looked at, or null.</summary>
    public static string? Keep { get; } = Text("IMAGESTORE_DURABILITY_KEEP");

    /// <summary>How many processes are killed.</summary>
    public static int? Kills { get; } = Number("IMAGESTORE_KILLS");

    /// <summary>How often the daemon is killed.</summary>
    public static int? DaemonKills { get; } = Number("IMAGESTORE_DAEMON_KILLS");

    /// <summary>How often the daemon, a shim or runc is killed beside containers.</summary>
    public static int? TaskKills { get; } = Number("IMAGESTORE_TASK_KILLS");

    private static string? Text(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? text : null;

    private static int? Number(string name) =>
        Text(name) is { } text ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : null;
}
