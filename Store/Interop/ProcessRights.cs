using System.Globalization;
using System.Runtime.InteropServices;

namespace ImageStore.Store.Interop;

/// <summary>What the kernel lets this process do of what only root may.</summary>
public static partial class ProcessRights
{
    private const string Line = "CapEff:";

    private static readonly Lazy<ulong> s_effective = new(() => Read("/proc/self/status"));

    /// <summary>The effective set of capabilities(7), a bit for each; read once.</summary>
    public static ulong Effective => s_effective.Value;

    /// <summary>The user in effect.</summary>
    public static uint User => EffectiveUser();

    private static ulong Read(string status)
    {
        var line = File.ReadLines(status).FirstOrDefault(line => line.StartsWith(Line, StringComparison.Ordinal)) ?? Line;
        return ulong.TryParse(line.AsSpan(Line.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value) ? value : 0;
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
