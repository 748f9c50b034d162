using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>What is no directory in a layer's directory on top of those below it.</summary>
internal sealed class StackFiles(SafeFileHandle own, LowerLayers lowers)
{
    /// <summary>Is there a file, whatever is no directory, at <paramref name="path"/>, with no link on the way?</summary>
    public bool IsFile(string path) => Find(path, static (_, _, _) => true);

    /// <summary>Where the symbolic link at <paramref name="path"/> leads to, or null where there is none.</summary>
    public string? LinkAt(string path)
    {
        string? target = null;
        Find(path, (holder, name, found) =>
        {
            target = found.IsSymlink ? System.Text.Encoding.Latin1.GetString(NameAt.ReadLink(holder, name, LayerFault.Show(path))) : null;
            return true;
        });
        return target;
    }

    private bool Find(string path, Func<SafeFileHandle, byte[], FileMetadata, bool> use)
    {
        var slash = path.LastIndexOf('/');
        var name = RootedPath.Name(path[(slash + 1)..]);
        using var holder = OpenAt.DirectoryIfThere(own, RootedPath.Name(slash < 0 ? "." : path[..slash]), LayerFault.Show(path));
        if (holder is not null && FileMetadata.TryGet(holder, name) is { } found)
        {
            return found is { IsDirectory: false, IsWhiteout: false } && use(holder, name, found);
        }

        using var lower = lowers.ParentOfFile(path);
        return lower is not null && FileMetadata.TryGet(lower, name) is { IsDirectory: false } below && use(lower, name, below);
    }
}
