using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Tracing;

/// <content>Calls that change names.</content>
internal sealed partial class DiskRecord
{
    private bool TakeName(string name, IReadOnlyList<string> args)
    {
        switch (name)
        {
            case "mkdir":
                Create(InodeKind.Directory, string.Empty, _paths.Find(null, args[0]), StraceArguments.Mode(args[1]) & ~_umask);
                return true;
            case "mkdirat":
                Create(InodeKind.Directory, string.Empty, _paths.Find(Folder(args[0]), args[1]), StraceArguments.Mode(args[2]) & ~_umask);
                return true;
            case "symlink":
                Create(InodeKind.Symlink, StraceArguments.Text(args[0]), _paths.Find(null, args[1]), 0x1FF);
                return true;
            case "symlinkat":
                Create(InodeKind.Symlink, StraceArguments.Text(args[0]), _paths.Find(Folder(args[1]), args[2]), 0x1FF);
                return true;
            case "mknod":
                MakeNode(_paths.Find(null, args[0]), args[1], args.ElementAtOrDefault(2));
                return true;
            case "mknodat":
                MakeNode(_paths.Find(Folder(args[0]), args[1]), args[2], args.ElementAtOrDefault(3));
                return true;
            case "link":
                Link(_paths.Find(null, args[0]), _paths.Find(null, args[1]));
                return true;
            case "linkat":
                Link(_paths.Find(Folder(args[0]), args[1]), _paths.Find(Folder(args[2]), args[3]));
                return true;
            case "unlink" or "rmdir":
                Remove(_paths.Find(null, args[0]));
                return true;
            case "unlinkat":
                Remove(_paths.Find(Folder(args[0]), args[1]));
                return true;
            case "rename":
                Rename(_paths.Find(null, args[0]), _paths.Find(null, args[1]), exchange: false);
                return true;
            case "renameat" or "renameat2":
                Rename(
                    _paths.Find(Folder(args[0]), args[1]),
                    _paths.Find(Folder(args[2]), args[3]),
                    args.Count > 4 && args[4].Contains("RENAME_EXCHANGE", StringComparison.Ordinal));
                return true;
            default:
                return false;
        }
    }

    private Inode Create(InodeKind kind, string detail, TracedPlace? place, int mode)
    {
        var inode = new Inode(kind, detail);
        if (place is { Directory: { } directory } at)
        {
            var initial = new Dictionary<string, string> { [InodeState.Mode] = Octal(mode), [InodeState.Owner] = _owner };
            Name([new Binding(directory, at.Name, inode)], inode, initial);
        }

        return inode;
    }

    private void MakeNode(TracedPlace? place, string mode, string? device)
    {
        var kind = mode.Split('|')[0] switch
        {
            "S_IFCHR" => InodeKind.CharacterDevice,
            "S_IFBLK" => InodeKind.BlockDevice,
            "S_IFIFO" => InodeKind.Pipe,
            var other => throw new NotModelledException($"mknod of {other} is not modelled."),
        };
        var numbers = kind == InodeKind.Pipe ? string.Empty : Device(device!);
        Create(kind, numbers, place, StraceArguments.Mode(mode) & ~_umask);
    }

    private static string Device(string text)
    {
        var parts = text.Split('(', ',', ')').Select(part => part.Trim())
            .Where(part => part.StartsWith("0x", StringComparison.Ordinal) || part == "0");
        return string.Join(':', parts.Select(part => part == "0" ? 0 : Convert.ToInt32(part, 16)));
    }

    private void Link(TracedPlace? from, TracedPlace? to)
    {
        if (from is { Inode: { } inode } && to is { Directory: { } directory } target)
        {
            Name([new Binding(directory, target.Name, inode)]);
        }
    }

    private void Remove(TracedPlace? place)
    {
        if (place is { Directory: { } directory } at)
        {
            var gone = at.Inode ?? throw new NotModelledException($"The record has no '{at.Name}' in '{directory}', yet it was removed.");
            Name([new Binding(directory, at.Name, null)], emptied: gone.Kind == InodeKind.Directory ? gone : null);
        }
    }

    private void Rename(TracedPlace? from, TracedPlace? to, bool exchange)
    {
        if (from is null && to is null)
        {
            return;
        }

        if (from is not { Directory: { } source, Inode: { } inode } || to is not { Directory: { } target })
        {
            throw new NotModelledException("A rename into or out of the recorded disk.");
        }

        Name(
            [new Binding(source, from.Value.Name, exchange ? to.Value.Inode : null), new Binding(target, to.Value.Name, inode)],
            emptied: to.Value.Inode is { Kind: InodeKind.Directory } replaced && !exchange ? replaced : null);
    }

    private void Name(
        IReadOnlyList<Binding> bindings, Inode? created = null, Dictionary<string, string>? initial = null, Inode? emptied = null)
    {
        foreach (var binding in bindings.Where(binding => binding.Target is not null))
        {
            binding.Target!.LastPath = $"{binding.Directory.LastPath}/{binding.Name}".TrimStart('/');
        }

        Do(new NameChange(_call.Entered, _call.Left, bindings, created, initial, emptied));
    }
}
