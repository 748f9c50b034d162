using System.Globalization;
using System.Text;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Removes a tree by directory handles; a symbolic link is removed, never followed.</summary>
/// <remarks>A container may have made directories in each other without end; those are moved up, as each level takes a handle and some stack.</remarks>
public static class TreeRemover
{
    private const int MaxDepth = 64;

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

        using (var top = OpenAt.Directory(parent, name) ?? throw KernelError.Last($"open '{entry}'"))
        {
            for (var moves = 0; ; )
            {
                var before = moves;
                if (!Empty(top, top, 1, entry, goOn, ref moves))
                {
                    return false;
                }

                if (moves == before)
                {
                    break;
                }

                // What was moved up is there to be read now.
                OpenAt.Rewind(top);
            }
        }

        if (!goOn())
        {
            return false;
        }

        NameAt.RemoveDirectory(parent, name, entry);
        return true;
    }

    /// <summary>Removes what is in <paramref name="directory"/>, or moves it into <paramref name="top"/>, which counts as a move; false after a no.</summary>
    private static bool Empty(SafeFileHandle top, SafeFileHandle directory, int depth, string entry, Func<bool> goOn, ref int moves)
    {
        foreach (var child in DirectoryEntries.Read(directory))
        {
            if (FileMetadata.TryGet(directory, child) is not { } found)
            {
                continue;
            }

            if (found.IsDirectory && depth == MaxDepth)
            {
                NameAt.Move(directory, child, top, Unused(top, ref moves), entry);
                continue;
            }

            if (found.IsDirectory)
            {
                using var below = OpenAt.Directory(directory, child) ?? throw KernelError.Last($"open '{entry}'");
                if (!Empty(top, below, depth + 1, entry, goOn, ref moves))
                {
                    return false;
                }
            }

            if (!goOn())
            {
                return false;
            }

            if (found.IsDirectory)
            {
                NameAt.RemoveDirectory(directory, child, entry);
            }
            else
            {
                NameAt.Remove(directory, child, entry);
            }
        }

        return true;
    }

    private static byte[] Unused(SafeFileHandle top, ref int moves)
    {
        byte[] name;
        do
        {
            name = RootedPath.Name(string.Create(CultureInfo.InvariantCulture, $".deep-{moves++}"));
        }
        while (FileMetadata.TryGet(top, name) is not null);

        return name;
    }
}
