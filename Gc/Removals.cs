using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>What was removed, and the files that may go with it.</summary>
internal sealed class Removals
{
    private readonly List<Resource> _resources = [];
    private readonly HashSet<(ResourceKind Kind, string Files)> _files = [];

    public IReadOnlyList<Resource> Resources => _resources;

    /// <summary>Each once, however many namespaces had it.</summary>
    public IReadOnlyCollection<(ResourceKind Kind, string Files)> Files => _files;

    public void Add(Resource resource, string? files)
    {
        _resources.Add(resource);
        if (files is not null)
        {
            _files.Add((resource.Kind, files));
        }
    }

    public void Add(Removals more)
    {
        _resources.AddRange(more._resources);
        _files.UnionWith(more._files);
    }
}
