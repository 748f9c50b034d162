using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>An opaque root hides all that is below, but overlayfs asks only the directories inside the root for the attribute.</summary>
internal static class OpaqueRoot
{
    /// <summary>Hides each name of the lower roots by itself; false when the root is not opaque.</summary>
    public static bool Hide(
        SafeFileHandle root, IReadOnlyList<string> lowerDirectories, LayerFormat format, CancellationToken cancellationToken)
    {
        if (Xattr.Get(root, RootedPath.Name("."), format.OpaqueXattr) is null)
        {
            return false;
        }

        foreach (var path in lowerDirectories)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var lower = OpenAt.HostDirectory(path);
            foreach (var name in DirectoryEntries.Read(lower))
            {
                Hide(root, name, format);
            }
        }

        return true;
    }

    private static void Hide(SafeFileHandle root, byte[] name, LayerFormat format)
    {
        const uint Whiteout = 0x2000;
        var shown = LayerFault.Show(System.Text.Encoding.Latin1.GetString(name)[..^1]);
        if (!NameAt.MakeNode(root, name, Whiteout, 0, 0, shown) && FileMetadata.TryGet(root, name) is { IsDirectory: true })
        {
            Xattr.Set(root, name, format.OpaqueXattr, "y"u8, shown);
        }
    }
}
