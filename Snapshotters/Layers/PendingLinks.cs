using ImageStore.Snapshotters.Trees;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Makes hard links whose target only a lower layer has: the target is copied up, as overlayfs does.</summary>
internal sealed class PendingLinks(SafeFileHandle root, LowerLayers lowers)
{
    private readonly StackFiles _files = new(root, lowers);

    // No name of a layer begins so, since it would be a whiteout.
    private static readonly byte[] s_aside = RootedPath.Name(".wh..wh.aside");
    private readonly HashSet<string> _ready = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _instead = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FileMetadata> _touched = new(StringComparer.Ordinal);
    private readonly List<string> _made = [];

    /// <summary>Directories that had to be made to hold a copied file, parents first.</summary>
    public IReadOnlyList<string> MadeDirectories => _made;

    /// <summary>Directories that were there before, with the metadata that they had.</summary>
    public IEnumerable<KeyValuePair<string, FileMetadata>> TouchedDirectories => _touched;

    /// <summary>Makes the links.</summary>
    /// <param name="links">The links, in the order of their entries.</param>
    /// <param name="cancellationToken">Cancels between links.</param>
    public void Make(IReadOnlyList<PendingLink> links, CancellationToken cancellationToken)
    {
        var chains = new LinkChains(links);
        foreach (var link in links)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var target = chains.Final(link.Target);
            if (!_instead.ContainsKey(target) && !_ready.Contains(target) && !_files.IsFile(target))
            {
                // It may be named through a symbolic link of a lower layer, which only now can be followed.
                target = chains.Final(LinkTargets.Real(target, _files.LinkAt));
            }

            target = _instead.GetValueOrDefault(target, target);
            using var from = Holder(target);
            using var to = Holder(link.Path);
            Make(link.Path, target, from, to);
            LinkMetadata.Apply(link.Entry, to, NameOf(link.Path), LayerFault.Show(link.Path));
        }
    }

    private void Make(string link, string target, SafeFileHandle from, SafeFileHandle to)
    {
        var shown = LayerFault.Show(link);
        var source = NameOf(target);
        if (_ready.Contains(target))
        {
            Link(from, source, to, NameOf(link), shown);
            return;
        }

        using var lower = lowers.ParentOfFile(target);
        var own = FileMetadata.TryGet(from, source);
        if (lower is null && own is not { IsDirectory: false, IsWhiteout: false })
        {
            throw LayerFault.Corrupt($"'{shown}' is a hard link to '{LayerFault.Show(target)}', which no layer holds.");
        }

        var replaced = lower is not null && own is not null;
        if (replaced)
        {
            // The layer removed or replaced the target after the link, which keeps what it had then.
            NameAt.Move(from, source, from, s_aside, shown);
        }

        if (lower is not null)
        {
            TreeCopier.CopyFile(lower, from, source);
        }

        Link(from, source, to, NameOf(link), shown);
        _ready.Add(replaced ? link : target);
        if (replaced)
        {
            NameAt.Remove(from, source, shown);
            NameAt.Move(from, s_aside, from, source, shown);
            _instead[target] = link;
        }
    }

    private static void Link(SafeFileHandle from, byte[] source, SafeFileHandle to, byte[] name, string shown)
    {
        if (!NameAt.Link(from, source, to, name, shown))
        {
            throw LayerFault.Corrupt($"'{shown}' is a hard link and something else as well.");
        }
    }

    /// <summary>The directory of <paramref name="path"/> in the layer itself, made where it is missing.</summary>
    private SafeFileHandle Holder(string path)
    {
        var holder = path.LastIndexOf('/') is var slash and >= 0 ? path[..slash] : string.Empty;
        if (OpenAt.DirectoryInRootIfThere(root, RootedPath.Name(holder.Length == 0 ? "." : holder), LayerFault.Show(holder)) is { } found)
        {
            if (!_made.Contains(holder))
            {
                _touched.TryAdd(holder.Length == 0 ? "." : holder, FileMetadata.TryGet(found, "\0"u8)!.Value);
            }

            return found;
        }

        using var above = Holder(holder);
        var shown = LayerFault.Show(holder);
        if (!NameAt.MakeDirectory(above, NameOf(holder), 0x1ED, shown))
        {
            throw LayerFault.Corrupt($"'{shown}' is used as a directory and is none.");
        }

        _made.Add(holder);
        return OpenAt.Directory(root, RootedPath.Name(holder)) ?? throw KernelError.Last($"open '{shown}'");
    }

    private static byte[] NameOf(string path) => RootedPath.Name(path[(path.LastIndexOf('/') + 1)..]);
}
