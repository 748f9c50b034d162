using ImageStore.Store;
using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>containerd's labels that refer to other resources, or say how long one lives.</summary>
/// <remarks>
/// <c>containerd.io/gc.ref.content</c>, <c>.image</c> and <c>.snapshot.SNAPSHOTTER</c> keep what they name; <c>gc.bref.…</c> has the
/// labelled resource kept by what it names, and <c>gc.cond.snapshot.…</c> by a snapshot that was used of late. A suffix after <c>.</c> or <c>/</c> tells several of a kind apart.
/// </remarks>
internal static class LabelReferences
{
    private const string Forward = Labels.GcPrefix + "ref.";
    private const string Back = Labels.GcPrefix + "bref.";
    private const string Content = "content";
    private const string Image = "image";
    private const string Snapshot = "snapshot.";
    private const string Condition = Labels.GcPrefix + "cond.snapshot";

    /// <summary>Adds what the labels of a resource keep.</summary>
    public static void AddKept(ResourceRow row, List<Resource> kept) => AddNamed(row, Forward, kept);

    /// <summary>Adds what keeps the resource, by its own labels.</summary>
    public static void AddKeepers(ResourceRow row, List<Resource> keepers) => AddNamed(row, Back, keepers);

    /// <summary>What keeps a blob or image while a condition holds, by its own labels.</summary>
    public static void AddConditionalKeepers(ResourceRow row, List<ConditionalKeeper> keepers)
    {
        if (row.Resource.Kind is not (ResourceKind.Content or ResourceKind.Image))
        {
            return;
        }

        foreach (var (label, value) in row.Labels)
        {
            if (label.StartsWith(Condition, StringComparison.Ordinal)
                && value.IndexOf('|', StringComparison.Ordinal) is > 0 and var bar && bar < value.Length - 1)
            {
                var snapshotter = UpToSlash(label.AsSpan(Condition.Length).TrimStart("./"));
                keepers.Add(new ConditionalKeeper(
                    row.Resource,
                    row.Resource.Beside(ResourceKind.Snapshot, $"{snapshotter}/{value.AsSpan(bar + 1)}"),
                    UseCondition.Parse(value.AsSpan(0, bar))));
            }
        }
    }

    private static void AddNamed(ResourceRow row, string prefix, List<Resource> named)
    {
        foreach (var (label, value) in row.Labels)
        {
            if (label.StartsWith(prefix, StringComparison.Ordinal) && value.Length > 0
                && Target(row.Resource, label.AsSpan(prefix.Length), value) is { } target)
            {
                named.Add(target);
            }
        }
    }

    private static Resource? Target(Resource from, ReadOnlySpan<char> what, string value)
    {
        if (Is(what, Content))
        {
            return from.Beside(ResourceKind.Content, value);
        }

        if (Is(what, Image))
        {
            return from.Beside(ResourceKind.Image, value);
        }

        // A snapshotter's name may hold dots, so only a slash ends it.
        return what.StartsWith(Snapshot, StringComparison.Ordinal)
            ? from.Beside(ResourceKind.Snapshot, $"{UpToSlash(what[Snapshot.Length..])}/{value}")
            : null;
    }

    private static ReadOnlySpan<char> UpToSlash(ReadOnlySpan<char> text) => text.IndexOf('/') is >= 0 and var end ? text[..end] : text;

    private static bool Is(ReadOnlySpan<char> what, string kind) =>
        what.StartsWith(kind, StringComparison.Ordinal) && (what.Length == kind.Length || what[kind.Length] is '.' or '/');
}
