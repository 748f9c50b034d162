using System.Text;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Removes a tree by directory handles; a symbolic link is removed, never followed.</summary>
public static class TreeRemover
{
    /// <summary>Removes <paramref name="path"/> and all below it; nothing there is fine.</summary>
    public static void RemoveTree(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var parentPath = Path.GetDirectoryName(full) ?? throw new ArgumentException("The root cannot be removed.", nameof(path));
        if (!Directory.Exists(parentPath))
        {
            return;
        }

        using var parent = OpenAt.HostDirectory(parentPath);
        Remove(parent, Encoding.UTF8.GetBytes(Path.GetFileName(full) + "\0"), Printable.Of(full));
    }

    internal static void Remove(SafeFileHandle parent, byte[] name, string entry)
    {
        if (FileMetadata.TryGet(parent, name) is not { } found)
        {
            return;
        }

        if (!found.IsDirectory)
        {
            NameAt.Remove(parent, name, entry);
            return;
        }

        using (var directory = OpenAt.Directory(parent, name) ?? throw KernelError.Last($"open '{entry}'"))
        {
            foreach (var child in DirectoryEntries.Read(directory))
            {
                Remove(directory, child, entry);
            }
        }

        NameAt.RemoveDirectory(parent, name, entry);
    }
}
