using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Mounts;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>How an image says to overlayfs what of the layers below is removed.</summary>
internal static class ImageMarks
{
    /// <summary>The attribute of a directory that hides what is below; images are mounted by root only, so it is never a user's.</summary>
    public const string OpaqueName = "trusted.overlay.opaque";

    public static byte[] Opaque { get; } = System.Text.Encoding.ASCII.GetBytes(OpaqueName + "\0");

    public static byte[] Yes { get; } = "y"u8.ToArray();

    /// <summary>The inode of a whiteout.</summary>
    public static ImageInode Whiteout { get; } = new(FileType.CharDevice, 0, 0, 0, 0);
}
