using ImageStore.Snapshotters.Erofs.Image;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>What a layer's entries and its settling both do to a tree.</summary>
internal static class ImageEdits
{
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

    /// <summary>A device's number as the disk has it.</summary>
    public static uint Device(uint major, uint minor) => (minor & 0xFF) | (major << 8) | ((minor & ~0xFFU) << 12);
}
