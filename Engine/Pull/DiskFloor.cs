using System.Globalization;
using ImageStore.Gc.Pressure;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Pull;

/// <summary>How much of a filesystem has to stay free: bytes, or a share of all of it.</summary>
public readonly record struct DiskFloor
{
    private const double Percent = 100;

    private readonly long _bytes;
    private readonly double _share;

    private DiskFloor(long bytes, double share) => (_bytes, _share) = (bytes, share);

    /// <summary>Parses <c>10G</c> or <c>15%</c>.</summary>
    /// <exception cref="ImageStoreException">It is neither (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static DiskFloor Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.EndsWith('%'))
        {
            return double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent) && percent is > 0 and < Percent
                ? new DiskFloor(0, percent / Percent)
                : throw Wrong(text);
        }

        return ByteText.Parse(text) is { } bytes ? new DiskFloor(bytes, 0) : throw Wrong(text);
    }

    /// <summary>What is left above the floor; negative below it.</summary>
    public long Room(DiskSpace disk) => disk.Available - BytesOf(disk);

    /// <summary>The error for what would take <paramref name="bytes"/> more; null when there is room for it.</summary>
    /// <param name="disk">The filesystem.</param>
    /// <param name="bytes">The bytes; 0 asks whether it is below the floor already.</param>
    /// <param name="subject">What takes them.</param>
    public ImageStoreException? Refusal(DiskSpace disk, long bytes, string subject)
    {
        if (Room(disk) >= bytes)
        {
            return null;
        }

        var takes = bytes > 0 ? $"has {ByteText.Of(bytes)} to be downloaded, more than there is room for" : "is not pulled";
        return new ImageStoreException(
            ErrorKind.NoSpace,
            $"{subject} {takes}: {ByteText.Of(disk.Available)} are free, and {ByteText.Of(BytesOf(disk))} have to stay so.",
            "Free space, such as with 'imagestore gc' and 'imagestore images rm', or lower what has to stay free.");
    }

    private long BytesOf(DiskSpace disk) => Math.Max(_bytes, (long)(_share * disk.Total));

    private static ImageStoreException Wrong(string text) => new(
        ErrorKind.InvalidArgument, $"'{Printable.Of(text)}' is no size and no percentage.", "Write such as 20G, or 10% of the filesystem.");
}
