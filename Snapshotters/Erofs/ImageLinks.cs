using System.Text;
using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Layers;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>Makes hard links whose target only a lower layer has: the target is copied up, as overlayfs does.</summary>
internal sealed class ImageLinks(ImageBuilder image, ImagePaths paths, LowerImages lowers)
{
    private readonly ImageFiles _files = new(image, lowers);
    private readonly HashSet<string> _ready = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _instead = new(StringComparer.Ordinal);

    /// <summary>Makes the links; directories that they need are implied ones.</summary>
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

            ImageEdits.Describe(image, Make(link.Path, _instead.GetValueOrDefault(target, target)), link.Entry, LayerFault.Show(link.Path));
        }
    }

    /// <summary>Makes one; the node that it has.</summary>
    private int Make(string link, string target)
    {
        var shown = LayerFault.Show(link);
        var (from, source) = Place(target);
        var (to, name) = Place(link);
        var own = image.Tree.Find(from, source);
        if (_ready.Contains(target))
        {
            return Link(own!.Value, to, name, shown);
        }

        var lower = lowers.File(target);
        if (lower is null)
        {
            if (own is not { } there || image.Tree.TypeOf(there) is EntryType.Directory or EntryType.Whiteout)
            {
                throw LayerFault.Corrupt($"'{shown}' is a hard link to '{LayerFault.Show(target)}', which no layer holds.");
            }

            _ready.Add(target);
            return Link(there, to, name, shown);
        }

        if (own is null)
        {
            _ready.Add(target);
            return Link(image.Tree.Add(from, source, lower.Node.Inode.EntryType, ImageCopy.Put(image, lower)), to, name, shown);
        }

        // The layer removed or replaced the target after the link, which keeps what it had then.
        CheckFree(to, name, shown);
        _ready.Add(link);
        _instead[target] = link;
        return image.Tree.Add(to, name, lower.Node.Inode.EntryType, ImageCopy.Put(image, lower));
    }

    private int Link(int target, int parent, byte[] name, string shown)
    {
        CheckFree(parent, name, shown);
        ImageEdits.AddLink(image, parent, name, target);
        return target;
    }

    private void CheckFree(int parent, byte[] name, string shown)
    {
        if (image.Tree.Find(parent, name) is not null)
        {
            throw LayerFault.Corrupt($"'{shown}' is a hard link and something else as well.");
        }
    }

    private (int Directory, byte[] Name) Place(string path)
    {
        var (above, name) = LayerPath.Split(path);
        return (paths.Directory(above), Encoding.Latin1.GetBytes(name));
    }
}
