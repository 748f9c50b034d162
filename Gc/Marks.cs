using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>What was found to stay of a namespace, each with what it was reached from. Whatever is not marked is white.</summary>
internal sealed class Marks(ReferenceGraph graph)
{
    private const int None = -1;

    // One array and no object for each: a collection that allocates would make those wait whom it is not to disturb.
    private readonly Dictionary<Resource, int> _places = [];
    private readonly Dictionary<Resource, List<Resource>> _keptByLabel = [];
    private readonly Dictionary<Resource, List<ConditionalKeeper>> _keptWhile = [];
    private readonly Stack<int> _grey = new();
    private Node[] _nodes = [];

    private enum Colour : byte
    {
        White,

        /// <summary>Kept by a flat lease, and what it refers to is not.</summary>
        Flat,

        Black,
    }

    /// <summary>How many are marked.</summary>
    public int Count { get; private set; }

    /// <summary>Marks all of <paramref name="namespace"/> that stays, over rows that do not change meanwhile.</summary>
    /// <returns>What may go: what is not marked, snapshots before those that they stand on, so that none is ever without its parent.</returns>
    public IReadOnlyList<Resource> MarkAll(IMetadataReader rows, string @namespace, CancellationToken cancellationToken)
    {
        var count = graph.Count(rows, @namespace);
        _places.EnsureCapacity(count);
        _nodes = new Node[count];
        List<Resource> keepers = [];
        List<ConditionalKeeper> conditional = [];
        foreach (var row in graph.All(rows, @namespace))
        {
            var place = Add(row);
            LabelReferences.AddKeepers(row, keepers);
            keepers.ForEach(keeper => KeptByLabel(keeper, row.Resource));
            keepers.Clear();
            LabelReferences.AddConditionalKeepers(row, conditional);
            conditional.ForEach(one => (_keptWhile.TryGetValue(one.Keeper, out var known) ? known : _keptWhile[one.Keeper] = []).Add(one));
            conditional.Clear();
            if (graph.Root(row) is not null)
            {
                Mark(place, None, Colour.Black);
            }
        }

        Follow(resource => _places.GetValueOrDefault(resource, None), cancellationToken);
        return [.. _nodes.Take(_places.Count).Where(node => node.Colour == Colour.White).OrderByDescending(Depth).Select(node => node.Row.Resource)];
    }

    /// <summary>Marks a resource that somebody has just changed, and all that it keeps now.</summary>
    public void Shade(IMetadataReader rows, Resource changed)
    {
        if (Now(changed) is not None and var place)
        {
            // What it keeps may be new, even when it was marked before.
            Mark(place, _nodes[place].From, Colour.Black);
            Follow(Now, CancellationToken.None);
        }

        int Now(Resource resource)
        {
            if (graph.Find(rows, resource) is not { } row)
            {
                return None;
            }

            if (!_places.TryGetValue(resource, out var known))
            {
                return Add(row);
            }

            _nodes[known].Row = row;
            return known;
        }
    }

    private int Depth(Node node)
    {
        var depth = 0;
        for (var row = node.Row; row is { Resource.Kind: ResourceKind.Snapshot, References: [var parent, ..] } && _places.TryGetValue(parent, out var place);)
        {
            (row, depth) = (_nodes[place].Row, depth + 1);
        }

        return depth;
    }

    public bool Has(Resource resource) => _places.TryGetValue(resource, out var place) && _nodes[place].Colour != Colour.White;

    /// <summary>The resource that it was reached from; null for a root and for what is white.</summary>
    public Resource? From(Resource resource) =>
        _places.TryGetValue(resource, out var place) && _nodes[place].From is not None and var from ? _nodes[from].Row.Resource : null;

    private int Add(ResourceRow row)
    {
        var place = _places.Count;
        if (place == _nodes.Length)
        {
            Array.Resize(ref _nodes, Math.Max(16, place * 2));
        }

        (_nodes[place], _places[row.Resource]) = (new Node { Row = row, From = None }, place);
        return place;
    }

    private void KeptByLabel(Resource keeper, Resource kept) =>
        (_keptByLabel.TryGetValue(keeper, out var known) ? known : _keptByLabel[keeper] = []).Add(kept);

    private void Mark(int place, int from, Colour colour)
    {
        Count += _nodes[place].Colour == Colour.White ? 1 : 0;
        (_nodes[place].From, _nodes[place].Colour) = (from, colour);
        _grey.Push(place);
    }

    private void Follow(Func<Resource, int> find, CancellationToken cancellationToken)
    {
        List<Resource> kept = [];
        while (_grey.TryPop(out var place))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (row, colour) = (_nodes[place].Row, _nodes[place].Colour);
            if (colour == Colour.Flat)
            {
                continue;
            }

            colour = ReferenceGraph.IsFlat(row) ? Colour.Flat : Colour.Black;
            ReferenceGraph.AddKept(row, kept);
            if (_keptByLabel.Count > 0 && _keptByLabel.TryGetValue(row.Resource, out var byLabel))
            {
                kept.AddRange(byLabel);
            }

            // Judged by the row that the keeper has now: it may have been used since the marking began.
            if (_keptWhile.Count > 0 && _keptWhile.TryGetValue(row.Resource, out var conditional))
            {
                kept.AddRange(conditional.Where(one => graph.Holds(one.Condition, row)).Select(one => one.Kept));
            }

            foreach (var next in kept)
            {
                // What a flat lease reached first is followed when something else reaches it.
                if (!(_places.TryGetValue(next, out var known) && _nodes[known].Colour >= colour) && find(next) is not None and var reached)
                {
                    Mark(reached, place, colour);
                }
            }

            kept.Clear();
        }
    }

    private struct Node
    {
        public ResourceRow Row;
        public int From;
        public Colour Colour;
    }
}
