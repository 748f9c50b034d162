using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>One directory of a stack of layers, merged as overlayfs merges it, without being mounted.</summary>
/// <remarks>
/// Each layer that has the directory is open by a handle, and all is reached name by name from there, no link followed:
/// what somebody in a container does meanwhile cannot lead out. A socket is nothing that a layer holds, so it is not there.
/// </remarks>
internal sealed class LayeredDirectory : IDisposable
{
    private const int NotFound = 2;

    private readonly List<(SafeFileHandle Directory, bool HasWhiteoutFiles)> _layers = [];
    private readonly OverlayMarks? _marks;

    private LayeredDirectory(OverlayMarks? marks) => _marks = marks;

    /// <summary>The topmost layer's directory, whose attributes are the tree's.</summary>
    public SafeFileHandle Top => _layers[0].Directory;

    /// <summary>Does the topmost layer say that it hides what is below?</summary>
    public bool IsOpaque => _marks is not null && _marks.IsOpaque(Top);

    /// <summary>Opens the root.</summary>
    /// <param name="directories">The layers, topmost first, at least one.</param>
    /// <param name="marks">How the layers tell what is removed; null for a tree that the kernel shows.</param>
    public static LayeredDirectory Open(IReadOnlyList<string> directories, OverlayMarks? marks)
    {
        var opened = new LayeredDirectory(marks);
        try
        {
            foreach (var directory in directories)
            {
                opened.Add(OpenAt.HostDirectory(directory));
            }

            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>The root's own entry.</summary>
    public FoundEntry Self(string path) => Status(Top, [(byte)'.', 0], path) is { } status
        ? new FoundEntry(Top, [(byte)'.', 0], status, 0)
        : throw DiffFault.Changed(path);

    /// <summary>What the tree has under <paramref name="name"/>, or null when it has nothing.</summary>
    /// <exception cref="OverlayIndirectionException">Only the kernel can tell.</exception>
    public FoundEntry? Find(byte[] name, string path)
    {
        for (var i = 0; i < _layers.Count; i++)
        {
            var directory = _layers[i].Directory;
            if (Status(directory, name, path) is not { } status)
            {
                continue;
            }

            var found = new FoundEntry(directory, name, status, i);
            if (IsWhiteout(found) || status.Type == FileType.Socket)
            {
                return null;
            }

            if (_marks is not null
                && ((found.IsDirectory && _marks.IsRedirected(directory, name)) || (found.IsRegular && _marks.IsMetadataOnly(directory, name))))
            {
                throw new OverlayIndirectionException();
            }

            return found;
        }

        return null;
    }

    /// <summary>Opens the directory that was found, merged with those below it; the caller disposes it.</summary>
    public LayeredDirectory Enter(FoundEntry found, string path)
    {
        var child = new LayeredDirectory(_marks);
        try
        {
            for (var i = found.Layer; i < _layers.Count; i++)
            {
                var status = i == found.Layer ? found.Status : Status(_layers[i].Directory, found.Name, path);
                if (status is null)
                {
                    continue;
                }

                if (status.Value.Type != FileType.Directory)
                {
                    break;
                }

                var opened = OpenAt.Directory(_layers[i].Directory, found.Name) ?? throw DiffFault.Changed(path);
                child.Add(opened);
                if (_marks is not null && _marks.IsOpaque(opened))
                {
                    break;
                }
            }

            return child;
        }
        catch
        {
            child.Dispose();
            throw;
        }
    }

    /// <summary>The names of all layers in the order of their bytes, those of whiteouts among them.</summary>
    public SortedSet<byte[]> Names()
    {
        var names = new SortedSet<byte[]>(NameOrder.Instance);
        foreach (var (directory, _) in _layers)
        {
            // A second description: the handle's own position stays where it was.
            using var own = OpenAt.Directory(directory, ".\0"u8) ?? throw KernelError.Last("open a directory");
            names.UnionWith(Store.Interop.DirectoryEntries.Read(own));
        }

        return names;
    }

    public void Dispose()
    {
        foreach (var (directory, _) in _layers)
        {
            directory.Dispose();
        }
    }

    private void Add(SafeFileHandle directory) =>
        _layers.Add((directory, _marks is not null && _marks.HasWhiteoutFiles(directory)));

    // A device 0:0 is a whiteout everywhere: no layer can hold one.
    private bool IsWhiteout(in FoundEntry found) =>
        found.Status is { Type: FileType.CharDevice, RdevMajor: 0, RdevMinor: 0 }
        || (_layers[found.Layer].HasWhiteoutFiles && found.IsRegular && found.Status.Size == 0
            && _marks!.IsWhiteoutFile(found.Parent, found.Name));

    private static FileStatus? Status(SafeFileHandle directory, byte[] name, string path)
    {
        var error = FileStatus.ReadAt((int)directory.DangerousGetHandle(), name, out var status);
        return error switch
        {
            0 => status,
            NotFound => null,
            _ => throw KernelError.Of(error, $"read '{LayerFault.Show(path)}'"),
        };
    }
}
