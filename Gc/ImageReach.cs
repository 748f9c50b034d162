using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>What an image keeps.</summary>
/// <param name="All">All that it reaches and that is there.</param>
/// <param name="Tops">The snapshots of it that are not another's parent: what runs stands on one of them.</param>
internal sealed record ImageReach(HashSet<Resource> All, IReadOnlyList<Resource> Tops)
{
    public static ImageReach Of(ReferenceGraph graph, IMetadataReader rows, ResourceRow image)
    {
        HashSet<Resource> all = [];
        List<Resource> tops = [];
        List<Resource> kept = [];
        Stack<ResourceRow> open = new([image]);
        while (open.TryPop(out var row))
        {
            ReferenceGraph.AddKept(row, kept);
            foreach (var next in kept)
            {
                if (graph.Find(rows, next) is { } found && all.Add(next))
                {
                    open.Push(found);
                    if (next.Kind == ResourceKind.Snapshot && row.Resource.Kind != ResourceKind.Snapshot)
                    {
                        tops.Add(next);
                    }
                }
            }

            kept.Clear();
        }

        return new ImageReach(all, tops);
    }
}
