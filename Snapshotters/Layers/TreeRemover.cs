using System.Text;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Removes a tree by directory handles; a symbolic link is removed, never followed.</summary>
public static class TreeRemover
{
    /// <summary>Removes <paramref name="path"/> and all below it; nothing there is fine.</summary>
    public static void RemoveTree(string path) => RemoveTree(path, static () => true);

    /// <summary>Removes as much of <paramref name="path"/> as is asked for.</summary>
    /// <param name="path">A file or directory; nothing there is fine.</param>
    /// <param name="goOn">Asked before each file and directory is removed; after a no what is left stays.</param>
    /// <returns>Whether nothing is left.</returns>
    internal static bool RemoveTree(string path, Func<bool> goOn)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var parentPath = Path.GetDirectoryName(full) ?? throw new ArgumentException("The root cannot be removed.", nameof(path));
        if (!Directory.Exists(parentPath))
        {
            return true;
        }

        using var parent = OpenAt.HostDirectory(parentPath);
        return Remove(parent, Encoding.UTF8.GetBytes(Path.GetFileName(full) + "\0"), Printable.Of(full), goOn);
    }

    internal static void Remove(SafeFileHandle parent, byte[] name, string entry) => Remove(parent, name, entry, static () => true);

    private static bool Remove(SafeFileHandle parent, byte[] name, string entry, Func<bool> goOn)
    {
        if (FileMetadata.TryGet(parent, name) is not { } found)
        {
            return true;
        }

        if (!found.IsDirectory)
        {
            if (!goOn())
            {
                return false;
            }

            NameAt.Remove(parent, name, entry);
            return true;
        }

        using (var directory = OpenAt.Directory(parent, name) ?? throw KernelError.Last($"open '{entry}'"))
        {
            foreach (var child in DirectoryEntries.Read(directory))
            {
                if (!Remove(directory, child, entry, goOn))
                {
                    return false;
                }
            }
        }

        if (!goOn())
        {
            return false;
        }

        NameAt.RemoveDirectory(parent, name, entry);
        return true;
    }
}
