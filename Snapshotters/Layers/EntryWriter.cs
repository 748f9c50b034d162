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
    private readonly Dictionary<string, DirectoryEnd> _ends = new(StringComparer.Ordinal);

    /// <summary>Gives directories their default ACLs and times, which the making of what is in them would have changed.</summary>
    public override void Finish()
    {
        if (HasAufsLinks)
        {
            TreeRemover.Remove(paths.Root, RootedPath.Name(WhiteoutNames.AufsLinks), WhiteoutNames.AufsLinks);
            Forget(WhiteoutNames.AufsLinks);
        }

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

        foreach (var (path, end) in _ends)
        {
            var shown = LayerFault.Show(path);
            using var directory = OpenAt.DirectoryIfThere(paths.Root, RootedPath.Name(path.Length == 0 ? "." : path), shown);
            if (directory is not null)
            {
                if (end.DefaultAcl is { } acl)
                {
                    EntryXattrs.Set(directory, RootedPath.Name("."), EntryXattrs.DefaultAcl, acl, shown);
                }

                InodeChange.Touch(directory, end.Seconds, end.Nanoseconds, shown);
            }
        }
    }

    protected override string Real(string path)
    {
        _ = paths.Parent(path);
        return paths.Real(path);
    }

    protected override void Root(TarEntry entry)
    {
        Finish(entry, paths.Root, RootedPath.Name("."), "/", false);
        End(entry, string.Empty);
    }

    protected override void HideContent(string path, string shown) =>
        Xattr.Set(paths.Parent(path).Parent, RootedPath.Name("."), format.OpaqueXattr, "y"u8, shown);

    protected override bool HideName(string path, string hidden, string real, string shown)
    {
        var (parent, _) = paths.Parent(path);
        var victim = RootedPath.Name(hidden);
        if (NameAt.MakeNode(parent, victim, FileType.CharDevice, 0, 0, shown))
        {
            return true;
        }

        // This layer made the name: only what lies below it is hidden.
        if (FileMetadata.TryGet(parent, victim) is { IsDirectory: true })
        {
            Xattr.Set(parent, victim, format.OpaqueXattr, "y"u8, shown);
            if (paths.Implied.Remove(real))
            {
                paths.Fresh.Add(real);
            }
        }

        return false;
    }

    protected override void Make(TarEntry entry, byte type, string path, string real, string shown)
    {
        var (parent, name) = paths.Parent(path);
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
                Forget(real);
            }

            paths.Forget();
            (parent, name) = paths.Parent(path);
        }

        switch (type)
        {
            case (byte)'0':
                File(entry, OpenAt.CreateNew(parent, name, entry.Mode & AccessBits) ?? throw KernelError.Last($"create '{shown}'"), parent, name, shown);
                break;
            case (byte)'1': HardLink(entry, real, parent, name, shown); return;
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

                End(entry, real);
                paths.Implied.Remove(real);

                break;
        }
    }

    // A default ACL would be inherited by what the layer makes in the directory, which has exactly what its own entry says.
    private void End(TarEntry entry, string real) => _ends[real] = new DirectoryEnd(
        entry.Seconds, entry.Nanoseconds, EntryXattrs.DefaultAclOf(entry) ?? _ends.GetValueOrDefault(real)?.DefaultAcl);

    // What was noted of a directory that is gone must not reach what takes its place.
    private void Forget(string path)
    {
        var below = path + "/";
        _ends.Remove(path);
        paths.Implied.RemoveWhere(i => i == path || i.StartsWith(below, StringComparison.Ordinal));
        ForgetPending(below);
        foreach (var gone in _ends.Keys.Where(k => k.StartsWith(below, StringComparison.Ordinal)).ToList())
        {
            _ends.Remove(gone);
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

        EntryXattrs.Set(entry, FileKind.Regular, parent, name, shown);
        if (made.Permissions != entry.Mode || entry.Xattrs.Count > 0)
        {
            // An access ACL sets the mode too, but the header's holds.
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

    private void HardLink(TarEntry entry, string real, SafeFileHandle parent, byte[] name, string shown)
    {
        var target = LayerPath.Clean(entry.LinkName, _limits);
        var slash = target.LastIndexOf('/');
        using var from = OpenAt.DirectoryInRootIfThere(paths.Root, RootedPath.Name(slash < 0 ? "." : target[..slash]), shown);
        var source = RootedPath.Name(target[(slash + 1)..]);
        var found = from is null ? null : FileMetadata.TryGet(from, source);
        if (found is null)
        {
            Pending[real] = new PendingLink(real, target, entry);
            return;
        }

        if (found.Value.IsWhiteout || found.Value.IsDirectory)
        {
            throw LayerFault.Corrupt($"'{shown}' links to '{LayerFault.Show(target)}', which is removed or a directory.");
        }

        NameAt.Link(from!, source, parent, name, shown);
        if (!WhiteoutNames.IsAufs(target))
        {
            LinkMetadata.Apply(entry, parent, name, shown);
        }
    }

    private static void Finish(TarEntry entry, SafeFileHandle parent, byte[] name, string shown, bool times)
    {
        using var inode = OpenAt.Inode(parent, name) ?? throw KernelError.Last($"open '{shown}'");
        InodeChange.Own(inode, entry.Uid, entry.Gid, shown);
        // After the owner, whose change takes capabilities away.
        EntryXattrs.Set(entry, times ? FileKind.Other : FileKind.Directory, parent, name, shown);
        if (entry.Type != (byte)'2')
        {
            InodeChange.Permit(inode, entry.Mode, shown);
        }

        if (times)
        {
            InodeChange.Touch(inode, entry.Seconds, entry.Nanoseconds, shown);
        }
    }

    private sealed record DirectoryEnd(long Seconds, uint Nanoseconds, byte[]? DefaultAcl);
}
