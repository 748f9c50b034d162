namespace ImageStore.Integration.Tests.Durability.Disk;

/// <summary>What a disk holds below one directory, its root.</summary>
internal sealed class DiskState
{
    private readonly Dictionary<Inode, InodeState> _inodes = [];

    public DiskState(Inode root)
    {
        Root = root;
        _inodes[root] = new InodeState();
    }

    private DiskState(DiskState other)
    {
        Root = other.Root;
        foreach (var (inode, state) in other._inodes)
        {
            _inodes[inode] = state.Copy();
        }
    }

    public Inode Root { get; }

    public InodeState this[Inode inode] => _inodes[inode];

    public DiskState Copy() => new(this);

    public void Add(Inode inode, IReadOnlyDictionary<string, string> attributes)
    {
        var state = new InodeState();
        foreach (var (key, value) in attributes)
        {
            state.SetAttribute(key, value);
        }

        _inodes[inode] = state;
    }

    public void Apply(DiskOperation operation)
    {
        switch (operation)
        {
            case NameChange names:
                if (names.Created is { } created && !_inodes.ContainsKey(created))
                {
                    Add(created, names.Initial!);
                }

                foreach (var binding in names.Bindings)
                {
                    Bind(binding);
                }

                break;
            case FileWrite write:
                Changed(write.Inode).Write(write.Bytes, write.Offset);
                break;
            case LengthChange length:
                Changed(length.Inode).SetLength(length.Length);
                break;
            case AttributeChange attribute:
                _inodes[attribute.Inode].SetAttribute(attribute.Key, attribute.Value);
                break;
            default:
                // A sync changes nothing that a process sees.
                break;
        }
    }

    /// <summary>The inode's state, its time no longer the one that was set.</summary>
    public InodeState Changed(Inode inode)
    {
        var state = _inodes[inode];
        state.SetAttribute(InodeState.Time, null);
        return state;
    }

    private void Bind(Binding binding)
    {
        var entries = Changed(binding.Directory).Entries;
        if (binding.Target is null)
        {
            entries.Remove(binding.Name);
        }
        else
        {
            entries[binding.Name] = binding.Target;
        }
    }
}
