using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Makes the entries as files in a directory.</summary>
internal sealed class EntryWriter(InflateRing input, RootedPath paths, LayerFormat format, LayerLimits limits) : LayerWriter(input, limits)
{
    private const uint PrivateMode = 0x180;
    private const uint AccessBits = 0x1FF;
    private readonly InflateRing _input = input;
    private readonly LayerLimits _limits = limits;
    private readonly Dictionary<string, (long Seconds, uint Nanoseconds)> _times = [];

    public void TouchDirectories()
    {
        paths.Forget();
        foreach (var path in paths.Fresh)
        {
            var shown = LayerFault.Show(path);
            using var fresh = OpenAt.DirectoryIfThere(paths.Root, RootedPath.Name(path), shown);
            if (fresh is not null)
            {
                InodeChange.Touch(fresh, 0, 0, shown);
            }
        }

        foreach (var (path, time) in _times)
        {
            var shown = LayerFault.Show(path);
            using var directory = OpenAt.DirectoryInRootIfThere(paths.Root, RootedPath.Name(path.Length == 0 ? "." : path), shown);
            if (directory is not null)
            {
                InodeChange.Touch(directory, time.Seconds, time.Nanoseconds, shown);
            }
        }
    }

    protected override void Root(TarEntry entry)
    {
        Finish(entry, paths.Root, RootedPath.Name("."), "/", false);
        _times[""] = (entry.Seconds, entry.Nanoseconds);
    }

    protected override void HideContent(string path, string shown) =>
        Xattr.Set(paths.Parent(path).Parent, RootedPath.Name("."), format.OpaqueXattr, "y"u8, shown);

    protected override void HideName(string path, string name, string hidden, string shown)
    {
        var (parent, _) = paths.Parent(path);
        var victim = RootedPath.Name(hidden);
        if (hidden.StartsWith(WhiteoutNames.Prefix, StringComparison.Ordinal)
            || Pending.ContainsKey(path[..^name.Length] + hidden)
            || NameAt.MakeNode(parent, victim, FileType.CharDevice, 0, 0, shown))
        {
            return;
        }

        // This layer made the name: only what lies below it is hidden.
        if (FileMetadata.TryGet(parent, victim) is { IsDirectory: true })
        {
            Xattr.Set(parent, victim, format.OpaqueXattr, "y"u8, shown);
            using var directory = OpenAt.Directory(parent, victim) ?? throw KernelError.Last($"open '{shown}'");
            var real = paths.RealPath(directory);
            if (paths.Implied.Remove(real))
            {
                paths.Fresh.Add(real);
            }
        }
    }

    protected override void Make(TarEntry entry, byte type, string path, string shown)
    {
        var (parent, name) = paths.Parent(path);
        Pending.Remove(path);
        if (type == (byte)'0' && OpenAt.CreateNew(parent, name, entry.Mode & AccessBits) is { } fresh)
        {
            File(entry, fresh, parent, name, shown);
            return;
        }

        var old = FileMetadata.TryGet(parent, name);
        var keep = old is { IsDirectory: true } && type == (byte)'5';
        if (old is not null && !keep)
        {
            TreeRemover.Remove(parent, name, shown);
            if (old.Value.IsDirectory)
            {
                Forget(path);
            }

            paths.Forget();
            (parent, name) = paths.Parent(path);
        }

        switch (type)
        {
            case (byte)'0':
                File(entry, OpenAt.CreateNew(parent, name, entry.Mode & AccessBits) ?? throw KernelError.Last($"create '{shown}'"), parent, name, shown);
                break;
            case (byte)'1': HardLink(entry, path, parent, name, shown); return;
            case (byte)'2':
                NameAt.MakeSymlink(parent, name, RootedPath.Name(entry.LinkName), shown);
                Finish(entry, parent, name, shown, true);
                break;
            case (byte)'3' or (byte)'4' or (byte)'6':
                CheckDevice(entry, type, shown);
                var kind = type == (byte)'3' ? FileType.CharDevice : type == (byte)'4' ? FileType.BlockDevice : FileType.Fifo;
                NameAt.MakeNode(parent, name, kind | PrivateMode, entry.Major, entry.Minor, shown);
                Finish(entry, parent, name, shown, true);
                break;
            case (byte)'5':
                if (!keep)
                {
                    NameAt.MakeDirectory(parent, name, 0x1C0, shown);
                }

                Finish(entry, parent, name, shown, false);
                if (old is { IsDirectory: false })
                {
                    Xattr.Set(parent, name, format.OpaqueXattr, "y"u8, shown);
                }

                _times[path] = (entry.Seconds, entry.Nanoseconds);
                if (keep && paths.Implied.Count > 0)
                {
                    using var directory = OpenAt.Directory(parent, name) ?? throw KernelError.Last($"open '{shown}'");
                    paths.Implied.Remove(paths.RealPath(directory));
                }

                break;
        }
    }

    // What was noted of a directory that is gone must not reach what takes its place.
    private void Forget(string path)
    {
        var below = path + "/";
        _times.Remove(path);
        paths.Implied.RemoveWhere(i => i == path || i.StartsWith(below, StringComparison.Ordinal));
        ForgetPending(below);
        foreach (var gone in _times.Keys.Where(k => k.StartsWith(below, StringComparison.Ordinal)).ToList())
        {
            _times.Remove(gone);
        }
    }

    private void File(TarEntry entry, SafeFileHandle opened, SafeFileHandle parent, byte[] name, string shown)
    {
        using var file = opened;
        foreach (var (offset, length) in entry.Sparse?.Segments ?? [(0, entry.Size)])
        {
            Body(file, offset, length, shown);
        }

        if (entry.Sparse is { } sparse)
        {
            FileData.SetSize(file, sparse.RealSize, shown);
        }

        FileBytes += entry.Size;
        // To ask costs a tenth of a change, and mostly the creation made it right: no special owner, no umask that takes away.
        var made = FileMetadata.TryGet(file, "\0"u8)!.Value;
        if ((made.Uid, made.Gid) != (entry.Uid, entry.Gid))
        {
            InodeChange.Own(file, entry.Uid, entry.Gid, shown);
        }

        SetAttributes(entry, parent, name, shown);
        if (made.Permissions != entry.Mode)
        {
            InodeChange.PermitOpen(file, entry.Mode, shown);
        }

        InodeChange.Touch(file, entry.Seconds, entry.Nanoseconds, shown);
    }

    private void Body(SafeFileHandle file, long offset, long length, string shown)
    {
        for (var end = offset + length; offset < end;)
        {
            var part = _input.Take(end - offset);
            if (part.IsEmpty)
            {
                throw LayerFault.Corrupt($"the tar ends inside '{shown}'.");
            }

            FileData.Write(file, part, offset, shown);
            offset += part.Length;
        }
    }

    private void HardLink(TarEntry entry, string path, SafeFileHandle parent, byte[] name, string shown)
    {
        var target = LayerPath.Clean(entry.LinkName, _limits);
        var slash = target.LastIndexOf('/');
        using var from = OpenAt.DirectoryInRootIfThere(paths.Root, RootedPath.Name(slash < 0 ? "." : target[..slash]), shown);
        var source = RootedPath.Name(target[(slash + 1)..]);
        var found = from is null ? null : FileMetadata.TryGet(from, source);
        if (found is null)
        {
            Pending[path] = target;
            return;
        }

        if (found.Value.IsWhiteout || found.Value.IsDirectory)
        {
            throw LayerFault.Corrupt($"'{shown}' links to '{LayerFault.Show(target)}', which is removed or a directory.");
        }

        NameAt.Link(from!, source, parent, name, shown);
    }

    private void Finish(TarEntry entry, SafeFileHandle parent, byte[] name, string shown, bool times)
    {
        using var inode = OpenAt.Inode(parent, name) ?? throw KernelError.Last($"open '{shown}'");
        InodeChange.Own(inode, entry.Uid, entry.Gid, shown);
        SetAttributes(entry, parent, name, shown);
        if (entry.Type != (byte)'2')
        {
            InodeChange.Permit(inode, entry.Mode, shown);
        }

        if (times)
        {
            InodeChange.Touch(inode, entry.Seconds, entry.Nanoseconds, shown);
        }
    }

    // After the owner, whose change takes capabilities away.
    private void SetAttributes(TarEntry entry, SafeFileHandle parent, byte[] name, string shown)
    {
        foreach (var (attribute, value) in Attributes(entry))
        {
            Xattr.Set(parent, name, attribute, value, shown);
        }
    }
}
