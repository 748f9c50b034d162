using System.Globalization;
using ImageStore.Snapshotters.Mounts;

namespace ImageStore.Snapshotters.Rootless;

/// <summary>The ids that <c>/etc/subuid</c> and <c>/etc/subgid</c> let a user have besides the own one.</summary>
internal static class SubordinateIds
{
    private const int MaxFileBytes = 4 * 1024 * 1024;

    /// <summary>A map of 0 to the user, and of the ids from 1 on to the ranges that the file gives; null when it gives none.</summary>
    /// <param name="file">Lines of <c>NAME-OR-ID:FIRST:COUNT</c>.</param>
    /// <param name="name">The user's name.</param>
    /// <param name="user">The user's id, under which lines may stand as well, for groups too.</param>
    /// <param name="own">The id that 0 stands for.</param>
    public static IdMap? Read(string file, string name, uint user, uint own)
    {
        if (!File.Exists(file) || new FileInfo(file).Length > MaxFileBytes)
        {
            return null;
        }

        var id = user.ToString(CultureInfo.InvariantCulture);
        List<IdMapRange> ranges = [new(0, own, 1)];
        var next = 1U;
        foreach (var line in File.ReadLines(file))
        {
            if (line.Trim().Split(':') is not [var whose, var first, var count] || (whose != name && whose != id)
                || !TryNumber(first, out var start) || !TryNumber(count, out var size) || size == 0
                || (ulong)start + size > uint.MaxValue || (ulong)next + size > uint.MaxValue
                || ranges.Count == IdMap.MaxRanges || ranges.Exists(range => IdMapRange.Overlap(range.Host, start, range.Size, size)))
            {
                // A line of somebody else, or one that newuidmap would not take either.
                continue;
            }

            ranges.Add(new IdMapRange(next, start, size));
            next += size;
        }

        return ranges.Count > 1 ? IdMap.Of(ranges) : null;
    }

    private static bool TryNumber(string text, out uint number) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
