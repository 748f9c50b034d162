using ImageStore.Store;

namespace ImageStore.Engine.Pull;

/// <summary>Which sets have pinned an image, as labels beside the pin: who lets go of it last takes the pin away.</summary>
/// <remarks>A label a set, in the row of the image itself, so that no kill can part them from the pin. Its value says
/// whether the sets brought the pin, or found one that is somebody else's and stays.</remarks>
internal static class PinClaims
{
    private const string Prefix = "imagestore/prepull.";
    private const string Brought = "pinned";
    private const string Found = "found";

    /// <summary>Is the image pinned, by whomever?</summary>
    public static bool IsPinned(IReadOnlyDictionary<string, string> labels) => labels.ContainsKey(Labels.Pinned);

    /// <summary>Does <paramref name="set"/> hold the image?</summary>
    public static bool Has(IReadOnlyDictionary<string, string> labels, string set) => labels.ContainsKey(Prefix + set);

    /// <summary>The labels with a pin that <paramref name="set"/> holds; null when they say so already.</summary>
    public static IReadOnlyDictionary<string, string>? Claim(IReadOnlyDictionary<string, string> labels, string set)
    {
        if (IsPinned(labels) && Has(labels, set))
        {
            return null;
        }

        var isOurs = !IsPinned(labels) || labels.Any(label => IsClaim(label.Key) && label.Value == Brought);
        return new Dictionary<string, string>(labels, StringComparer.Ordinal)
        {
            [Labels.Pinned] = "pinned",
            [Prefix + set] = isOurs ? Brought : Found,
        };
    }

    /// <summary>The labels without what <paramref name="set"/> holds; the pin goes with the last of the sets that brought it.</summary>
    public static IReadOnlyDictionary<string, string> Release(IReadOnlyDictionary<string, string> labels, string set)
    {
        var left = new Dictionary<string, string>(labels, StringComparer.Ordinal);
        if (left.Remove(Prefix + set, out var how) && how == Brought && !left.Keys.Any(IsClaim))
        {
            left.Remove(Labels.Pinned);
        }

        return left;
    }

    /// <summary>The changes that pin an image or unpin it by hand: whatever sets held before, the pin is no longer theirs.</summary>
    public static Dictionary<string, string> ByHand(IReadOnlyDictionary<string, string> labels, bool pinned)
    {
        var changes = labels.Keys.Where(IsClaim).ToDictionary(key => key, _ => string.Empty, StringComparer.Ordinal);
        changes[Labels.Pinned] = pinned ? "pinned" : string.Empty;
        return changes;
    }

    private static bool IsClaim(string key) => key.StartsWith(Prefix, StringComparison.Ordinal);
}
