using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ImageStore.Store.Errors;

namespace ImageStore.Store;

/// <summary>containerd's rules for labels.</summary>
public static partial class Labels
{
    /// <summary>Bytes of a key and its value together.</summary>
    public const int MaxBytes = 4096;

    /// <summary>No labels.</summary>
    public static IReadOnlyDictionary<string, string> None { get; } = new Dictionary<string, string>();

    /// <summary>Names the registry and repository that a blob came from: <c>containerd.io/distribution.source.HOST</c>.</summary>
    public const string SourcePrefix = "containerd.io/distribution.source.";

    /// <summary>What the collector's labels begin with.</summary>
    public const string GcPrefix = "containerd.io/gc.";

    /// <summary>Refers to a blob that this blob needs; a suffix after <c>.</c> or <c>/</c> tells several apart.</summary>
    public const string RefContent = "containerd.io/gc.ref.content";

    /// <summary>The same with the suffix that our labels have.</summary>
    public const string RefContentPrefix = RefContent + ".";

    /// <summary>Refers to a snapshot that this config needs: followed by the snapshotter's name.</summary>
    public const string RefSnapshotPrefix = "containerd.io/gc.ref.snapshot.";

    /// <summary>Keeps a blob or snapshot by itself.</summary>
    public const string Root = "containerd.io/gc.root";

    /// <summary>When a lease or image may go, RFC 3339.</summary>
    public const string Expire = "containerd.io/gc.expire";

    /// <summary>Has a lease keep what it names, and not what that refers to.</summary>
    public const string Flat = "containerd.io/gc.flat";

    /// <summary>Has an image stay until it is unpinned; the CRI's label, with the value <c>pinned</c>.</summary>
    public const string Pinned = "io.cri-containerd.pinned";

    /// <summary>The diff ID of a compressed layer.</summary>
    public const string Uncompressed = "containerd.io/uncompressed";

    /// <summary>Ours, of a snapshot that is not committed and was made under a lease: it is in use no longer than something keeps it.</summary>
    public const string Leased = "imagestore/leased";

    /// <summary>When a snapshot was used last, RFC 3339: what conditional references ask for.</summary>
    public const string UsedAt = "containerd.io/gc.cond.value-usedat";

    /// <summary>Has the time come that <see cref="Expire"/> names? A label that is no time never lets anything go.</summary>
    public static bool IsExpired(IReadOnlyDictionary<string, string> labels, Deadline? agreed, Moment now) =>
        Time(labels, Expire) is { } at && now.IsAfter(at, agreed);

    /// <summary>A time as labels have it, in whole seconds.</summary>
    public static string TimeText(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The time that a label names, or null.</summary>
    public static DateTimeOffset? Time(IReadOnlyDictionary<string, string> labels, string key)
    {
        ArgumentNullException.ThrowIfNull(labels);
        return labels.TryGetValue(key, out var text)
            && Rfc3339().IsMatch(text)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : null;
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Rfc3339();

    /// <summary>Checks keys and values.</summary>
    /// <exception cref="ImageStoreException">One is empty, too long or not printable (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static void Check(IReadOnlyDictionary<string, string> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        foreach (var (key, value) in labels)
        {
            var bytes = Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value);
            if (key.Length == 0 || key.Any(char.IsControl) || bytes > MaxBytes)
            {
                throw new ImageStoreException(
                    ErrorKind.InvalidArgument,
                    $"The label '{Printable.Of(key)}' is not allowed: its key is empty or has control characters, or key and value have {bytes} bytes.",
                    $"A key and its value have at most {MaxBytes} bytes together.");
            }
        }
    }

    /// <summary><paramref name="current"/> with <paramref name="changes"/>; an empty value removes its key.</summary>
    public static Dictionary<string, string> Merge(
        IReadOnlyDictionary<string, string> current, IReadOnlyDictionary<string, string> changes)
    {
        Check(changes);
        var result = new Dictionary<string, string>(current, StringComparer.Ordinal);
        foreach (var (key, value) in changes)
        {
            if (value.Length == 0)
            {
                result.Remove(key);
            }
            else
            {
                result[key] = value;
            }
        }

        return result;
    }
}
