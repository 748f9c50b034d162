using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>Opens a regular file of a tree that others may change meanwhile.</summary>
internal static class EntryFile
{
    /// <summary>Opens what was found and nothing else: a fifo or device that took its name would hang us or act.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">It is another file now, or the disk refuses.</exception>
    public static SafeFileHandle Open(in FoundEntry entry, string path)
    {
        using var inode = OpenAt.Inode(entry.Parent, entry.Name) ?? throw DiffFault.Changed(path);
        return FileStatus.ReadOpen((int)inode.DangerousGetHandle(), out var now) == 0
            && now.Type == FileType.Regular && now.IsSameFile(entry.Status)
                ? OpenAt.Reopen(inode) ?? throw KernelError.Last($"open '{LayerFault.Show(path)}'")
                : throw DiffFault.Changed(path);
    }

    /// <summary>Reads from an offset; 0 at the end.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The disk refuses.</exception>
    public static int Read(SafeFileHandle file, Span<byte> buffer, long offset, string path)
    {
        try
        {
            return RandomAccess.Read(file, buffer, offset);
        }
        catch (IOException failure)
        {
            throw Store.Errors.IoErrors.From(failure, $"Reading '{LayerFault.Show(path)}'");
        }
    }
}
