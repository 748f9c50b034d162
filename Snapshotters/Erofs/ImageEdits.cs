using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>What a layer's entries and its settling both do to a tree.</summary>
internal static class ImageEdits
{
    private const uint PermissionMask = 0xFFF;

    /// <summary>Hides one name of what lies below.</summary>
    public static void AddWhiteout(ImageBuilder image, int parent, ReadOnlySpan<byte> name) =>
        image.Tree.Add(parent, name, EntryType.Whiteout, image.PutEmpty(ImageMarks.Whiteout, []));

    /// <summary>Gives what is no directory one name more, which must be free.</summary>
    public static void AddLink(ImageBuilder image, int parent, ReadOnlySpan<byte> name, int target)
    {
        var offset = image.Tree.OffsetOf(target);
        image.Tree.Add(parent, name, image.Tree.TypeOf(target), offset);
        image.Link(offset);
    }

    /// <summary>Gives what is no directory the metadata that an entry for another of its names brings.</summary>
    public static void Describe(ImageBuilder image, int node, TarEntry entry, string shown) => image.Change(
        image.Tree.OffsetOf(node),
        (now, attributes) =>
        {
            if ((now.Uid, now.Gid) != (entry.Uid, entry.Gid))
            {
                // The kernel takes it away when the owner changes.
                attributes.Remove(EntryXattrs.Capability.ToArray());
            }

            var mode = now.Type == FileType.Symlink ? now.Mode : now.Type | (entry.Mode & PermissionMask);
            ImageXattrs.Add(attributes, entry, mode, shown);
            return now with { Mode = mode, Uid = entry.Uid, Gid = entry.Gid, Seconds = entry.Seconds, Nanoseconds = entry.Nanoseconds };
        },
        shown);

    /// <summary>A device's number as the disk has it.</summary>
    public static uint Device(uint major, uint minor) => (minor & 0xFF) | (major << 8) | ((minor & ~0xFFU) << 12);
}
