using System.Runtime.InteropServices;

namespace ImageStore.Shim.Interop;

/// <summary>Memory that is not the collector's.</summary>
internal static partial class Memory
{
    /// <summary>Gives back what the C library keeps for later.</summary>
    public static void Trim()
    {
        try
        {
            _ = TrimCore(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Only glibc has it.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimCore(nint keep);
}
