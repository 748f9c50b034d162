using System.Text;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>What keys, names and labels may be.</summary>
internal static class SnapshotArguments
{
    /// <summary>The longest key or name, in UTF-8 bytes.</summary>
    public const int MaxKeyBytes = 1024;

    /// <summary>The longest label, key and value together, in UTF-8 bytes; containerd's limit.</summary>
    public const int MaxLabelBytes = 4096;

    public static void CheckKey(string key)
    {
        if (string.IsNullOrEmpty(key))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument, "A snapshot's key is empty.", "Give the snapshot a key.");
        }

        if (key.EnumerateRunes().Any(rune => Rune.IsControl(rune) || rune == Rune.ReplacementChar))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"The snapshot key '{Printable.Of(key)}' has characters that cannot be printed.",
                "Use printable characters only.");
        }

        if (Encoding.UTF8.GetByteCount(key) > MaxKeyBytes)
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"The snapshot key '{Printable.Of(key)}' is longer than {MaxKeyBytes} bytes.",
                "Use a shorter key.");
        }
    }

    public static Dictionary<string, string> CheckLabels(IReadOnlyDictionary<string, string> labels)
    {
        foreach (var (key, value) in labels)
        {
            if (key.Length == 0 || Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value) > MaxLabelBytes)
            {
                throw new ImageStoreException(
                    ErrorKind.InvalidArgument,
                    key.Length == 0
                        ? "A label's key is empty."
                        : $"The label '{Printable.Of(key)}' is longer than {MaxLabelBytes} bytes with its value.",
                    "Shorten or leave out the label.");
            }
        }

        // Said now, and not by every mount later.
        _ = IdMapPair.FromLabels(labels);
        return new Dictionary<string, string>(labels, StringComparer.Ordinal);
    }
}
