using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Gives a file the metadata that an entry for another of its names brings.</summary>
/// <remarks>docker and containerd do so: what the last of a file's entries says holds for all of its names.</remarks>
internal static class LinkMetadata
{
    public static void Apply(TarEntry entry, SafeFileHandle parent, byte[] name, string shown)
    {
        using var inode = OpenAt.Inode(parent, name) ?? throw KernelError.Last($"open '{shown}'");
        var now = FileMetadata.TryGet(inode, "\0"u8)!.Value;
        if ((now.Uid, now.Gid) != (entry.Uid, entry.Gid))
        {
            // Only then, since it takes capabilities away, and many writers tell of those with the first name only.
            InodeChange.Own(inode, entry.Uid, entry.Gid, shown);
        }

        EntryXattrs.Set(entry, now.IsRegular ? FileKind.Regular : FileKind.Other, parent, name, shown);
        if (!now.IsSymlink)
        {
            InodeChange.Permit(inode, entry.Mode, shown);
        }

        InodeChange.Touch(inode, entry.Seconds, entry.Nanoseconds, shown);
    }
}
