using System.Globalization;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>A run of ids of a container and the ids of the machine that they are.</summary>
/// <param name="Container">The first id as the files on disk and the container have it.</param>
/// <param name="Host">The first id of the machine that stands for it.</param>
/// <param name="Size">How many ids follow one another, at least 1.</param>
public readonly record struct IdMapRange(uint Container, uint Host, uint Size)
{
    /// <summary>Reads <c>CONTAINER:HOST:SIZE</c>, which is the order of newuidmap's words and of containerd's labels.</summary>
    /// <exception cref="ImageStoreException">It is not that, or goes beyond the last id (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static IdMapRange Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Split(':') is not [var container, var host, var size]
            || !TryNumber(container, out var first) || !TryNumber(host, out var target) || !TryNumber(size, out var count) || count == 0)
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"'{Printable.Of(text)}' is not a range of ids.", "Write CONTAINER:HOST:SIZE, such as 0:100000:65536.");
        }

        // The last number of all stands for "no id".
        return (ulong)first + count <= uint.MaxValue && (ulong)target + count <= uint.MaxValue
            ? new IdMapRange(first, target, count)
            : throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"The range of ids '{Printable.Of(text)}' goes beyond {uint.MaxValue - 1}, the last id.", "Use a smaller size.");
    }

    /// <inheritdoc/>
    public override string ToString() => Text(':');

    internal string ToLine() => Text(' ') + "\n";

    internal static bool Overlap(uint first, uint other, uint firstSize, uint otherSize) =>
        (ulong)first < (ulong)other + otherSize && (ulong)other < (ulong)first + firstSize;

    private string Text(char separator) => string.Create(CultureInfo.InvariantCulture, $"{Container}{separator}{Host}{separator}{Size}");

    private static bool TryNumber(string text, out uint number) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
