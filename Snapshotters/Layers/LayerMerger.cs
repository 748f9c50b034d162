using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Moves a settled layer onto a full tree, so that the tree is what overlayfs would show.</summary>
public static class LayerMerger
{
    /// <summary>Merges; <paramref name="layerDirectory"/> keeps only empty directories.</summary>
    public static void MergeOnto(string layerDirectory, string targetRoot, LayerFormat format, CancellationToken ct)
    {
        using var layer = OpenAt.HostDirectory(layerDirectory);
        using var target = OpenAt.HostDirectory(targetRoot);
        Merge(layer, target, "/", format, ct);
    }

    private static void Merge(SafeFileHandle layer, SafeFileHandle target, string shown, LayerFormat format, CancellationToken ct)
    {
        var metadata = FileMetadata.TryGet(layer, "\0"u8)!.Value;
        foreach (var name in DirectoryEntries.Read(layer))
        {
            ct.ThrowIfCancellationRequested();
            var entry = LayerFault.Show(System.Text.Encoding.Latin1.GetString(name)[..^1]);
            if (FileMetadata.TryGet(layer, name) is not { } found)
            {
                throw new ImageStoreException(
                    ErrorKind.FailedPrecondition, $"'{entry}' is gone while its layer is put on the others.", "Look what changes the snapshots' directories, then try again.");
            }

            var old = FileMetadata.TryGet(target, name);
            var opaque = found.IsDirectory && Xattr.Get(layer, name, format.OpaqueXattr) is not null;
            if (old is not null && !(found.IsDirectory && old.Value.IsDirectory && !opaque))
            {
                TreeRemover.Remove(target, name, entry);
                old = null;
            }

            if (found.IsWhiteout)
            {
                continue;
            }

            if (!found.IsDirectory)
            {
                NameAt.Move(layer, name, target, name, entry);
                continue;
            }

            if (old is null)
            {
                NameAt.MakeDirectory(target, name, 0x1C0, entry);
            }

            using var from = OpenAt.Directory(layer, name) ?? throw KernelError.Last($"open '{entry}'");
            using var to = OpenAt.Directory(target, name) ?? throw KernelError.Last($"open '{entry}'");
            Merge(from, to, entry, format, ct);
        }

        MetadataCopy.To(layer, target, metadata, shown);
    }
}
