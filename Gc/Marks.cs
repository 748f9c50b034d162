using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>What was found to stay of a namespace, each with what it was reached from. Whatever is not marked is white.</summary>
internal sealed class Marks(ReferenceGraph graph)
{
    private readonly Dictionary<Resource, Node> _nodes = [];
    private readonly Dictionary<Resource, List<Resource>> _keptByLabel = [];
    private readonly Stack<Node> _grey = new();

    private enum Colour
    {
        White,

        /// <summary>Kept by a flat lease, and what it refers to is not.</summary>
        Flat,

        Black,
    }

    /// <summary>How many are marked.</summary>
    public int Count { get; private set; }

    /// <summary>Marks all of <paramref name="namespace"/> that stays, over rows that do not change meanwhile.</summary>
    /// <returns>What may go: what is not marked.</returns>
    public IReadOnlyList<ResourceRow> MarkAll(IMetadataReader rows, string @namespace, CancellationToken cancellationToken)
    {
        List<Node> all = [];
        List<Resource> keepers = [];
        List<ConditionalKeeper> conditional = [];
        foreach (var row in graph.All(rows, @namespace))
        {
            var node = _nodes[row.Resource] = new Node(row);
            all.Add(node);
            LabelReferences.AddKeepers(row, keepers);
            keepers.ForEach(keeper => KeptByLabel(keeper, row.Resource));
            keepers.Clear();
            LabelReferences.AddConditionalKeepers(row, conditional);
            if (graph.Root(row) is not null)
            {
                Mark(node, null, Colour.Black);
            }
        }

        foreach (var (kept, keeper, condition) in conditional)
        {
            if (_nodes.TryGetValue(keeper, out var snapshot) && graph.Holds(condition, snapshot.Row))
            {
                KeptByLabel(keeper, kept);
            }
        }

        Follow(resource => _nodes.GetValueOrDefault(resource), cancellationToken);
        return [.. all.Where(node => node.Colour == Colour.White).Select(node => node.Row)];
    }

    /// <summary>Marks a resource that somebody has just changed, and all that it keeps now.</summary>
    public void Shade(IMetadataReader rows, Resource changed)
    {
        if (Now(changed) is not { } node)
        {
            return;
        }

        // What it keeps may be new, even when it was marked before.
        Mark(node, node.From, Colour.Black);
        Follow(Now, CancellationToken.None);

        Node? Now(Resource resource)
        {
            if (graph.Find(rows, resource) is not { } row)
            {
                return null;
            }

            if (!_nodes.TryGetValue(resource, out var known))
            {
                return _nodes[resource] = new Node(row);
            }

            known.Row = row;
            return known;
        }
    }

    public bool Has(Resource resource) => _nodes.TryGetValue(resource, out var node) && node.Colour != Colour.White;

    /// <summary>The resource that it was reached from; null for a root and for what is white.</summary>
    public Resource? From(Resource resource) => _nodes.GetValueOrDefault(resource)?.From;

    private void KeptByLabel(Resource keeper, Resource kept) =>
        (_keptByLabel.TryGetValue(keeper, out var known) ? known : _keptByLabel[keeper] = []).Add(kept);

    private void Mark(Node node, Resource? from, Colour colour)
    {
        Count += node.Colour == Colour.White ? 1 : 0;
        (node.From, node.Colour) = (from, colour);
        _grey.Push(node);
    }

    private void Follow(Func<Resource, Node?> find, CancellationToken cancellationToken)
    {
        List<Resource> kept = [];
        while (_grey.TryPop(out var one))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (one.Colour == Colour.Flat)
            {
                continue;
            }

            var colour = ReferenceGraph.IsFlat(one.Row) ? Colour.Flat : Colour.Black;
            ReferenceGraph.AddKept(one.Row, kept);
            if (_keptByLabel.Count > 0 && _keptByLabel.TryGetValue(one.Row.Resource, out var byLabel))
            {
                kept.AddRange(byLabel);
            }

            foreach (var next in kept)
            {
                // What a flat lease reached first is followed when something else reaches it.
                if (!(_nodes.TryGetValue(next, out var known) && known.Colour >= colour) && find(next) is { } node)
                {
                    Mark(node, one.Row.Resource, colour);
                }
            }

            kept.Clear();
        }
    }

    private sealed class Node(ResourceRow row)
    {
        public ResourceRow Row { get; set; } = row;

        public Resource? From { get; set; }

        public Colour Colour { get; set; }
    }
}
