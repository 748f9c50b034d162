using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>What was found to stay, each with what it was reached from. Whatever is not marked is white.</summary>
internal sealed class Marks(ReferenceGraph graph)
{
    private readonly Dictionary<Resource, Mark> _marks = [];
    private readonly Dictionary<Resource, List<Resource>> _keptByLabel = [];

    /// <summary>Marks all that stays, over rows that do not change meanwhile.</summary>
    /// <returns>What may go: what is not marked.</returns>
    public IReadOnlyList<ResourceRow> MarkAll(IMetadataReader rows, CancellationToken cancellationToken)
    {
        List<ResourceRow> unsure = [];
        Stack<(ResourceRow Row, bool Flat)> grey = new();
        foreach (var row in graph.All(rows))
        {
            foreach (var keeper in LabelReferences.Keepers(row))
            {
                (_keptByLabel.TryGetValue(keeper, out var kept) ? kept : _keptByLabel[keeper] = []).Add(row.Resource);
            }

            if (graph.Root(row) is null)
            {
                unsure.Add(row);
            }
            else
            {
                _marks[row.Resource] = new Mark(null, Flat: false);
                grey.Push((row, false));
            }
        }

        Follow(rows, grey, cancellationToken);
        return [.. unsure.Where(row => !Has(row.Resource))];
    }

    /// <summary>Marks a resource that somebody has just changed, and all that it keeps now.</summary>
    public void Shade(IMetadataReader rows, Resource changed)
    {
        if (graph.Find(rows, changed) is not { } row)
        {
            return;
        }

        // What it keeps may be new, even when it was marked before.
        _marks.TryAdd(changed, new Mark(null, Flat: false));
        Stack<(ResourceRow, bool)> grey = new();
        grey.Push((row, false));
        Follow(rows, grey, CancellationToken.None);
    }

    /// <summary>How many are marked.</summary>
    public int Count => _marks.Count;

    public bool Has(Resource resource) => _marks.ContainsKey(resource);

    /// <summary>The resource that it was reached from; null for a root and for what is white.</summary>
    public Resource? From(Resource resource) => _marks.TryGetValue(resource, out var mark) ? mark.From : null;

    private void Follow(IMetadataReader rows, Stack<(ResourceRow Row, bool Flat)> grey, CancellationToken cancellationToken)
    {
        while (grey.TryPop(out var one))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (one.Flat)
            {
                continue;
            }

            var flat = ReferenceGraph.IsFlat(one.Row);
            foreach (var kept in ReferenceGraph.Kept(one.Row).Concat(_keptByLabel.GetValueOrDefault(one.Row.Resource) ?? []))
            {
                // What a flat lease reached first is followed when something else reaches it.
                if ((!_marks.TryGetValue(kept, out var before) || (before.Flat && !flat)) && graph.Find(rows, kept) is { } row)
                {
                    _marks[kept] = new Mark(one.Row.Resource, flat);
                    grey.Push((row, flat));
                }
            }
        }
    }

    private readonly record struct Mark(Resource? From, bool Flat);
}
