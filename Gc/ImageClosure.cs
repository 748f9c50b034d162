using ImageStore.Store;
using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>What each image keeps: blobs, and the snapshots that it is unpacked into.</summary>
public static class ImageClosure
{
    /// <summary>For each image of a namespace, by name, all that it reaches and that is there.</summary>
    public static IReadOnlyDictionary<string, IReadOnlySet<Resource>> Of(StoreRoot root, string @namespace)
    {
        ArgumentNullException.ThrowIfNull(root);
        var graph = new ReferenceGraph(root.Resources, Moment.Start);
        var rows = root.Database.View();
        return root.Resources.Single(table => table.Kind == ResourceKind.Image).All(rows, @namespace)
            .ToDictionary(
                image => image.Resource.Key, IReadOnlySet<Resource> (image) => ImageReach.Of(graph, rows, image).All, StringComparer.Ordinal);
    }
}
