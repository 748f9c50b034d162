using System.Globalization;
using System.Runtime.InteropServices;

namespace ImageStore.Shim.Interop;

/// <summary>Memory that is not the collector's.</summary>
internal static partial class Memory
{
    private const int DontNeed = 4;

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

    /// <summary>Lets go of the program's own pages: those that are needed again come back from the file.</summary>
    /// <remarks>Of what has been written to, such as addresses that the loader put right, nothing would come back: it stays.</remarks>
    public static void ForgetProgram()
    {
        var mapping = default(Mapping);
        foreach (var line in File.ReadLines("/proc/self/smaps"))
        {
            if (Mapping.TryParse(line) is { } next)
            {
                mapping = next;
            }
            else if (mapping.IsOfFile && line.StartsWith("Anonymous:", StringComparison.Ordinal) && line.EndsWith(" 0 kB", StringComparison.Ordinal))
            {
                _ = Advise((nint)mapping.Start, (nint)(mapping.End - mapping.Start), DontNeed);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimCore(nint keep);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint start, nint length, int advice);

    /// <summary>A line of <c>/proc/self/smaps</c> that begins a mapping: <c>start-end rights offset device inode path</c>.</summary>
    private readonly record struct Mapping(ulong Start, ulong End, bool IsOfFile)
    {
        public static Mapping? TryParse(string line)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return words.Length >= 5 && words[0].Split('-') is [var start, var end]
                && ulong.TryParse(start, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var from)
                && ulong.TryParse(end, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var to)
                ? new Mapping(from, to, words is [_, ['r', '-', _, 'p'], _, _, _, ['/', ..]])
                : null;
        }
    }
}
