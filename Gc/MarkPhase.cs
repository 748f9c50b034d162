using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>Finds what stays: a pure function over the rows of one moment. Nothing is kept across namespaces, so they are marked side by side.</summary>
internal sealed class MarkPhase
{
    private readonly ReferenceGraph _graph;
    private readonly Dictionary<string, Marks> _marks = new(StringComparer.Ordinal);

    private MarkPhase(ReferenceGraph graph) => _graph = graph;

    /// <summary>What may go, namespace by namespace.</summary>
    public IReadOnlyList<Resource> White { get; private set; } = [];

    /// <summary>How many stay.</summary>
    public int Kept => _marks.Values.Sum(marks => marks.Count);

    /// <summary>Marks all that stays.</summary>
    public static async Task<MarkPhase> RunAsync(ReferenceGraph graph, IMetadataReader rows, CancellationToken cancellationToken)
    {
        var phase = new MarkPhase(graph);
        var namespaces = graph.Namespaces(rows);
        var white = new IReadOnlyList<Resource>[namespaces.Count];
        var marks = namespaces.Select(_ => new Marks(graph)).ToList();
        await Parallel.ForAsync(0, namespaces.Count, cancellationToken, (i, token) =>
        {
            white[i] = marks[i].MarkAll(rows, namespaces[i], token);
            return ValueTask.CompletedTask;
        }).ConfigureAwait(false);
        for (var i = 0; i < namespaces.Count; i++)
        {
            phase._marks[namespaces[i]] = marks[i];
        }

        phase.White = [.. white.SelectMany(rows => rows)];
        return phase;
    }

    /// <summary>Marks a resource that somebody has just changed, and all that it keeps now.</summary>
    public void Shade(IMetadataReader rows, Resource changed)
    {
        if (!_marks.TryGetValue(changed.Namespace, out var marks))
        {
            marks = _marks[changed.Namespace] = new Marks(_graph);
        }

        marks.Shade(rows, changed);
    }

    public bool Has(Resource resource) => _marks.TryGetValue(resource.Namespace, out var marks) && marks.Has(resource);

    /// <summary>The resource that it was reached from; null for a root and for what is white.</summary>
    public Resource? From(Resource resource) => _marks.GetValueOrDefault(resource.Namespace)?.From(resource);
}
