using System.Text;
using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Layers;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>What is no directory in a layer's image on top of those below it.</summary>
internal sealed class ImageFiles(ImageBuilder image, LowerImages lowers)
{
    /// <summary>Is there a file, whatever is no directory, at <paramref name="path"/>, with no link on the way?</summary>
    public bool IsFile(string path) => Own(path) is { } own
        ? image.Tree.TypeOf(own) is not (EntryType.Directory or EntryType.Whiteout) : lowers.File(path) is not null;

    /// <summary>Where the symbolic link at <paramref name="path"/> leads to, or null where there is none.</summary>
    public string? LinkAt(string path)
    {
        if (Own(path) is { } own)
        {
            return image.Tree.TypeOf(own) == EntryType.Symlink ? Encoding.Latin1.GetString(image.ReadTarget(image.Tree.OffsetOf(own))) : null;
        }

        if (lowers.File(path) is not { Node.Inode.EntryType: EntryType.Symlink } lower)
        {
            return null;
        }

        var target = new byte[lower.Node.Inode.Size <= LayerPath.MaxTargetBytes ? lower.Node.Inode.Size : throw ImageFault.Damaged("a link is too long")];
        lower.Reader.ReadData(lower.Node, 0, target);
        return Encoding.Latin1.GetString(target);
    }

    private int? Own(string path) => image.Tree.FindPath(path);
}
