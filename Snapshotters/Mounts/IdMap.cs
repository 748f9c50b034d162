using System.Text;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>Which ids of the machine the ids of a container are, of users or of groups.</summary>
public sealed class IdMap
{
    /// <summary>The most ranges, which is the kernel's limit.</summary>
    public const int MaxRanges = 340;

    /// <summary>What the kernel takes as a map: less than a page.</summary>
    private const int MaxBytes = 4095;

    private IdMap(IReadOnlyList<IdMapRange> ranges) => Ranges = ranges;

    /// <summary>The ranges, at least one, none of which overlap.</summary>
    public IReadOnlyList<IdMapRange> Ranges { get; }

    /// <summary>The id of the machine that is the container's root, or what is nearest to it.</summary>
    internal uint First => Ranges.MinBy(range => range.Container).Host;

    /// <summary>Checks ranges and makes a map of them.</summary>
    /// <exception cref="ImageStoreException">There are none, too many, or some overlap (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static IdMap Of(IEnumerable<IdMapRange> ranges)
    {
        IdMapRange[] all = [.. ranges.Take(MaxRanges + 1)];
        if (all.Length is 0 or > MaxRanges)
        {
            throw Wrong(all.Length == 0 ? "A map of ids has no range." : $"A map of ids has more than {MaxRanges} ranges.");
        }

        for (var i = 0; i < all.Length; i++)
        {
            foreach (var other in all.AsSpan(0, i))
            {
                if (IdMapRange.Overlap(all[i].Container, other.Container, all[i].Size, other.Size)
                    || IdMapRange.Overlap(all[i].Host, other.Host, all[i].Size, other.Size))
                {
                    throw Wrong($"The ranges of ids {other} and {all[i]} overlap.");
                }
            }
        }

        var map = new IdMap(all);
        return map.ToKernel().Length <= MaxBytes ? map : throw Wrong($"A map of ids is longer than {MaxBytes} bytes, which is all that the kernel takes.");
    }

    /// <summary>Reads ranges that commas separate.</summary>
    /// <exception cref="ImageStoreException">It is malformed (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static IdMap Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Of(text.Split(',').Select(IdMapRange.Parse));
    }

    /// <summary>The ranges, separated by commas.</summary>
    public override string ToString() => string.Join(',', Ranges);

    /// <summary>As <c>/proc/PID/uid_map</c> takes it.</summary>
    internal byte[] ToKernel() => Encoding.ASCII.GetBytes(string.Concat(Ranges.Select(range => range.ToLine())));

    private static ImageStoreException Wrong(string message) =>
        new(ErrorKind.InvalidArgument, message, "Each id stands in one range at most: CONTAINER:HOST:SIZE,…");
}
