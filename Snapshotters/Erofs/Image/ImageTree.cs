using System.IO.Hashing;

namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>The names of an image in memory, compactly: what they stand for is in the image already, but for the directories.</summary>
internal sealed class ImageTree
{
    public const int Root = 0;

    /// <summary>Names of one layer, with the directories that its paths imply. About 60 bytes each, 150 for a directory.</summary>
    private const int MaxNodes = 1 << 23;
    private const int None = -1;
    private const int FirstBuckets = 1 << 10;

    private static readonly long s_seed = Random.Shared.NextInt64(long.MaxValue >> 1);
    private readonly ChunkedList<Node> _nodes = new(MaxNodes, "names");
    private readonly ChunkedList<ImageDirectory?> _directories = new(MaxNodes, "directories");
    private readonly NameArena _names = new();
    private int[] _buckets = NewBuckets(FirstBuckets);
    private int _free = None;

    public ImageTree()
    {
        _directories.Add(new ImageDirectory());
        _nodes.Add(new Node { Parent = None, FirstChild = None, Next = None, Previous = None, Chain = None, Type = EntryType.Directory });
    }

    public EntryType TypeOf(int node) => _nodes[node].Type;

    public int ParentOf(int node) => _nodes[node].Parent == None ? Root : _nodes[node].Parent;

    public ReadOnlyMemory<byte> NameOf(int node) => _names[_nodes[node].Name, _nodes[node].NameBytes];

    /// <summary>Where the inode of what is no directory is in the image.</summary>
    public long OffsetOf(int node) => _nodes[node].Value;

    public ImageDirectory DirectoryOf(int node) => _directories[(int)_nodes[node].Value]!;

    /// <summary>The child, or null.</summary>
    public int? Find(int directory, ReadOnlySpan<byte> name)
    {
        for (var at = _buckets[Bucket(directory, name)]; at != None; at = _nodes[at].Chain)
        {
            ref var node = ref _nodes[at];
            if (node.Parent == directory && node.NameBytes == name.Length && _names[node.Name, node.NameBytes].Span.SequenceEqual(name))
            {
                return at;
            }
        }

        return null;
    }

    /// <summary>What lies at a path, no link followed, or null.</summary>
    /// <param name="path">Clean, in Latin-1; empty for the root.</param>
    public int? FindPath(string path)
    {
        var at = Root;
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Find(at, System.Text.Encoding.Latin1.GetBytes(part)) is not { } child)
            {
                return null;
            }

            at = child;
        }

        return at;
    }

    /// <summary>Adds a directory under a name that is free.</summary>
    public int AddDirectory(int parent, ReadOnlySpan<byte> name) =>
        Add(parent, name, EntryType.Directory, _directories.Add(new ImageDirectory()));

    /// <summary>Adds anything else under a name that is free; its inode is at <paramref name="offset"/>.</summary>
    public int Add(int parent, ReadOnlySpan<byte> name, EntryType type, long offset)
    {
        var added = new Node
        {
            Parent = parent, FirstChild = None, Next = _nodes[parent].FirstChild, Previous = None, Type = type,
            Name = _names.Add(name), NameBytes = (byte)name.Length, Value = offset,
        };
        int at;
        if (_free != None)
        {
            at = _free;
            _free = _nodes[at].Next;
            _nodes[at] = added;
        }
        else
        {
            if (_nodes.Count >= _buckets.Length)
            {
                Rehash();
            }

            at = _nodes.Add(added);
        }

        if (added.Next != None)
        {
            _nodes[added.Next].Previous = at;
        }

        _nodes[parent].FirstChild = at;
        ref var bucket = ref _buckets[Bucket(parent, name)];
        _nodes[at].Chain = bucket;
        bucket = at;
        return at;
    }

    /// <summary>Removes a node and all below it.</summary>
    /// <param name="node">Not the root.</param>
    /// <param name="gone">Is told of each that is no directory.</param>
    public void Remove(int node, Action<int> gone)
    {
        while (_nodes[node].FirstChild is var child and not None)
        {
            Remove(child, gone);
        }

        if (_nodes[node].Type == EntryType.Directory)
        {
            _directories[(int)_nodes[node].Value] = null;
        }
        else
        {
            gone(node);
        }

        Unlink(node);
        _nodes[node] = new Node { Next = _free, Parent = None, Type = EntryType.None };
        _free = node;
    }

    /// <summary>The children in the order of their names' bytes.</summary>
    public List<int> Children(int directory)
    {
        List<int> children = [];
        for (var at = _nodes[directory].FirstChild; at != None; at = _nodes[at].Next)
        {
            children.Add(at);
        }

        children.Sort((x, y) => NameOf(x).Span.SequenceCompareTo(NameOf(y).Span));
        return children;
    }

    /// <summary>All directories.</summary>
    public IEnumerable<int> Directories() =>
        Enumerable.Range(0, _nodes.Count).Where(at => _nodes[at].Type == EntryType.Directory);

    /// <summary>The path from the root, in Latin-1.</summary>
    public string PathOf(int node)
    {
        List<string> parts = [];
        for (; node != Root; node = ParentOf(node))
        {
            parts.Add(System.Text.Encoding.Latin1.GetString(NameOf(node).Span));
        }

        parts.Reverse();
        return string.Join('/', parts);
    }

    private static int[] NewBuckets(int count)
    {
        var buckets = new int[count];
        Array.Fill(buckets, None);
        return buckets;
    }

    private void Unlink(int at)
    {
        var node = _nodes[at];
        if (node.Previous == None)
        {
            _nodes[node.Parent].FirstChild = node.Next;
        }
        else
        {
            _nodes[node.Previous].Next = node.Next;
        }

        if (node.Next != None)
        {
            _nodes[node.Next].Previous = node.Previous;
        }

        ref var link = ref _buckets[Bucket(node.Parent, NameOf(at).Span)];
        while (link != at)
        {
            link = ref _nodes[link].Chain;
        }

        link = node.Chain;
    }

    private void Rehash()
    {
        _buckets = NewBuckets(_buckets.Length * 2);
        for (var at = 1; at < _nodes.Count; at++)
        {
            if (_nodes[at].Type != EntryType.None)
            {
                ref var bucket = ref _buckets[Bucket(_nodes[at].Parent, NameOf(at).Span)];
                _nodes[at].Chain = bucket;
                bucket = at;
            }
        }
    }

    // Names come from a layer: an unkeyed sum would let it put them all into one bucket.
    private int Bucket(int parent, ReadOnlySpan<byte> name) =>
        (int)(XxHash3.HashToUInt64(name, s_seed + parent) & (ulong)(_buckets.Length - 1));

    private struct Node
    {
        public long Value;
        public int Parent;
        public int FirstChild;
        public int Next;
        public int Previous;
        public int Chain;
        public int Name;
        public byte NameBytes;
        public EntryType Type;
    }
}
