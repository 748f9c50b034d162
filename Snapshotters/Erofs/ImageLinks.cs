using System.Text;
using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Layers;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>Makes hard links whose target only a lower layer has: the target is copied up, as overlayfs does.</summary>
internal sealed class ImageLinks(ImageBuilder image, ImagePaths paths, LowerImages lowers)
{
    private readonly HashSet<string> _ready = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _instead = new(StringComparer.Ordinal);

    /// <summary>Makes the links; directories that they need are implied ones.</summary>
    public void Make(IReadOnlyList<(string Link, string Target)> links, CancellationToken cancellationToken)
    {
        var finals = new LinkTargets(links);
        foreach (var (link, named) in links)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var target = finals.Final(named);
            Make(link, _instead.GetValueOrDefault(target, target));
        }
    }

    private void Make(string link, string target)
    {
        var shown = LayerFault.Show(link);
        var (from, source) = Place(target);
        var (to, name) = Place(link);
        var own = image.Tree.Find(from, source);
        if (_ready.Contains(target))
        {
            Link(own!.Value, to, name, shown);
            return;
        }

        var lower = lowers.File(target);
        if (lower is null)
        {
            if (own is not { } there || image.Tree.TypeOf(there) is EntryType.Directory or EntryType.Whiteout)
            {
                throw LayerFault.Corrupt($"'{shown}' is a hard link to '{LayerFault.Show(target)}', which no layer holds.");
            }

            Link(there, to, name, shown);
            _ready.Add(target);
        }
        else if (own is null)
        {
            Link(image.Tree.Add(from, source, lower.Node.Inode.EntryType, ImageCopy.Put(image, lower)), to, name, shown);
            _ready.Add(target);
        }
        else
        {
            // The layer removed or replaced the target after the link, which keeps what it had then.
            CheckFree(to, name, shown);
            image.Tree.Add(to, name, lower.Node.Inode.EntryType, ImageCopy.Put(image, lower));
            _ready.Add(link);
            _instead[target] = link;
        }
    }

    private void Link(int target, int parent, byte[] name, string shown)
    {
        CheckFree(parent, name, shown);
        ImageEdits.AddLink(image, parent, name, target);
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
