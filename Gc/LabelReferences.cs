using ImageStore.Store;
using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>containerd's labels that refer to other resources, or say how long one lives.</summary>
/// <remarks>
/// <c>containerd.io/gc.ref.content</c>, <c>.image</c> and <c>.snapshot.SNAPSHOTTER</c> keep what they name; <c>gc.bref.…</c> has the
/// labelled resource kept by what it names. A suffix after <c>.</c> or <c>/</c> tells several of a kind apart.
/// </remarks>
internal static class LabelReferences
{
    private const string Forward = Labels.GcPrefix + "ref.";
    private const string Back = Labels.GcPrefix + "bref.";
    private const string Content = "content";
    private const string Image = "image";
    private const string Snapshot = "snapshot.";

    /// <summary>What the labels of a resource keep.</summary>
    public static IEnumerable<Resource> Kept(ResourceRow row) => Named(row, Forward);

    /// <summary>What keeps the resource, by its own labels.</summary>
    public static IEnumerable<Resource> Keepers(ResourceRow row) => Named(row, Back);

    private static IEnumerable<Resource> Named(ResourceRow row, string prefix)
    {
        foreach (var (label, value) in row.Labels)
        {
            if (label.StartsWith(prefix, StringComparison.Ordinal) && value.Length > 0
                && Target(label.AsSpan(prefix.Length), row.Resource.Namespace, value) is { } target)
            {
                yield return target;
            }
        }
    }

    private static Resource? Target(ReadOnlySpan<char> what, string ns, string value)
    {
        if (Is(what, Content))
        {
            return new Resource(ResourceKind.Content, ns, value);
        }

        if (Is(what, Image))
        {
            return new Resource(ResourceKind.Image, ns, value);
        }

        if (!what.StartsWith(Snapshot, StringComparison.Ordinal))
        {
            return null;
        }

        // A snapshotter's name may hold dots, so only a slash ends it.
        var snapshotter = what[Snapshot.Length..];
        var end = snapshotter.IndexOf('/');
        return new Resource(ResourceKind.Snapshot, ns, $"{(end < 0 ? snapshotter : snapshotter[..end])}/{value}");
    }

    private static bool Is(ReadOnlySpan<char> what, string kind) =>
        what.StartsWith(kind, StringComparison.Ordinal) && (what.Length == kind.Length || what[kind.Length] is '.' or '/');
}
