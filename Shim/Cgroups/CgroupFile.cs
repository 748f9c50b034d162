using System.Globalization;
using System.Text;
using ImageStore.Shim.Oci;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Cgroups;

/// <summary>Reads the kernel's files of a cgroup, of which any may be missing.</summary>
internal static class CgroupFile
{
    private const int LargestBytes = 256 << 10;
    private const string Unlimited = "max";

    /// <summary>The lines of a file; none where it is missing.</summary>
    public static string[] Lines(string folder, string name)
    {
        try
        {
            return BoundedFile.TryRead(Path.Combine(folder, name), LargestBytes) is { } content
                ? Encoding.UTF8.GetString(content).Split('\n', StringSplitOptions.RemoveEmptyEntries) : [];
        }
        catch (ImageStoreException)
        {
            // The cgroup goes while it is read.
            return [];
        }
    }

    /// <summary>The number in a file; null where it is missing, and <paramref name="unlimited"/> for <c>max</c>.</summary>
    public static ulong? Number(string folder, string name, ulong unlimited = ulong.MaxValue) =>
        Lines(folder, name) is [var line, ..] ? line == Unlimited ? unlimited : Parse(line) : null;

    /// <summary>A file of lines with a name and a number.</summary>
    public static Dictionary<string, ulong> Pairs(string folder, string name)
    {
        var pairs = new Dictionary<string, ulong>(StringComparer.Ordinal);
        foreach (var line in Lines(folder, name))
        {
            if (line.Split(' ') is [var key, var value])
            {
                pairs[key] = Parse(value);
            }
        }

        return pairs;
    }

    /// <summary>A number; what is none is 0, as is what is below it.</summary>
    public static ulong Parse(string text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;
}
