using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Takes away whiteouts that hide nothing.</summary>
/// <remarks>
/// Builders write them, and OCI allows it. But overlayfs lists a directory that only one layer has as it is there, with
/// its whiteouts: programs would see a name and no file of it.
/// </remarks>
internal static class IdleWhiteouts
{
    public static void Remove(SafeFileHandle root, LowerLayers lowers, IReadOnlyList<string> whiteouts, CancellationToken cancellationToken)
    {
        foreach (var path in whiteouts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (shown, slash) = (LayerFault.Show(path), path.LastIndexOf('/'));
            var name = RootedPath.Name(path[(slash + 1)..]);
            using var holder = OpenAt.DirectoryIfThere(root, RootedPath.Name(slash < 0 ? "." : path[..slash]), shown);
            if (holder is not null && FileMetadata.TryGet(holder, name) is { IsWhiteout: true } && !lowers.Has(path))
            {
                var before = FileMetadata.TryGet(holder, "\0"u8)!.Value;
                NameAt.Remove(holder, name, shown);
                InodeChange.Touch(holder, before.Seconds, before.Nanoseconds, shown);
            }
        }
    }
}
