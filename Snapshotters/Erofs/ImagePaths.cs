using System.Text;
using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>Turns a layer's names into directories of the tree in memory, as the kernel would inside of a root: out of it there is no way.</summary>
internal sealed class ImagePaths(ImageBuilder image, LayerLimits limits)
{
    private const int NotFound = 2;
    private const int NotADirectory = 20;
    private const int NameTooLong = 36;
    private const int TooManyLinks = 40;

    // The kernel follows so many.
    private const int MaxLinks = 40;
    private string? _path;
    private int _directory;
    private bool _isReal;

    /// <summary>The directory at <paramref name="path"/>, made where it is missing.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">Something else is there, or it is too deep.</exception>
    public int Directory(string path)
    {
        if (path != _path)
        {
            _isReal = true;
            _directory = Open(path);
            _path = path;
        }

        return _directory;
    }

    /// <summary>The path that <paramref name="clean"/> has without links of the layer on its way; its directory is made where it is missing.</summary>
    public string Real(string clean)
    {
        var (above, name) = LayerPath.Split(clean);
        var directory = Directory(above);
        return _isReal ? clean : image.Tree.PathOf(directory) is { Length: > 0 } real ? $"{real}/{name}" : name;
    }

    /// <summary>What was found may have been removed or replaced.</summary>
    public void Forget() => _path = null;

    /// <summary>The directory at a path, links followed; null where there is none.</summary>
    public int? Find(string path) => Walk(path, out var error) ?? (error is NotFound or NotADirectory or TooManyLinks or NameTooLong
        ? null : throw KernelError.Of(error, $"open '{LayerFault.Show(path)}'"));

    private int Open(string path)
    {
        if (Direct(path) is { } direct)
        {
            return direct;
        }

        if (Walk(path, out var error) is { } linked)
        {
            _isReal = false;

            // Links multiply a path's depth, and who walks the tree later pays for each level.
            return IsTooDeep(linked) ? throw LayerPath.TooDeep(limits) : linked;
        }

        return error is NotFound or NotADirectory ? Make(path) : throw KernelError.Of(error, $"open '{LayerFault.Show(path)}'");
    }

    private int Make(string path)
    {
        var (above, name) = LayerPath.Split(path);
        var parent = Open(above);
        var bytes = Encoding.Latin1.GetBytes(name);
        var old = image.Tree.Find(parent, bytes);
        var isHidden = old is { } found && image.Tree.TypeOf(found) == EntryType.Whiteout;
        if (isHidden)
        {
            image.Tree.Remove(old!.Value, node => image.Unlink(image.Tree.OffsetOf(node)));
        }
        else if (old is not null)
        {
            throw LayerFault.Corrupt($"'{LayerFault.Show(path)}' is used as a directory and is none.");
        }

        var made = image.Tree.AddDirectory(parent, bytes);
        if (isHidden)
        {
            image.Tree.DirectoryOf(made).SetXattr(ImageMarks.Opaque, ImageMarks.Yes);
        }
        else
        {
            image.Tree.DirectoryOf(made).IsImplied = true;
        }

        return made;
    }

    private int? Direct(string path)
    {
        var at = ImageTree.Root;
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Child(at, part) is not { } child || image.Tree.TypeOf(child) != EntryType.Directory)
            {
                return null;
            }

            at = child;
        }

        return at;
    }

    private int? Walk(string path, out int error)
    {
        var links = 0;
        var at = ImageTree.Root;
        Stack<string> rest = new(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        while (rest.TryPop(out var part))
        {
            error = part.Length > LayerPath.MaxNameBytes ? NameTooLong : 0;
            var child = part switch
            {
                "." => at,
                ".." => image.Tree.ParentOf(at),
                _ => error == 0 ? Child(at, part) : null,
            };
            error = error != 0 ? error : child is null ? NotFound : 0;
            if (child is not { } found)
            {
                return null;
            }

            switch (image.Tree.TypeOf(found))
            {
                case EntryType.Directory:
                    at = found;
                    break;
                case EntryType.Symlink when ++links > MaxLinks:
                    error = TooManyLinks;
                    return null;
                case EntryType.Symlink:
                    var target = Encoding.Latin1.GetString(image.ReadTarget(image.Tree.OffsetOf(found)));
                    at = target.StartsWith('/') ? ImageTree.Root : at;
                    foreach (var step in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                    {
                        rest.Push(step);
                    }

                    break;
                default:
                    error = NotADirectory;
                    return null;
            }
        }

        error = 0;
        return at;
    }

    private bool IsTooDeep(int directory)
    {
        var real = image.Tree.PathOf(directory);
        return real.Length > limits.MaxPathBytes || real.AsSpan().Count('/') + 2 > limits.MaxDepth;
    }

    private int? Child(int directory, string name)
    {
        Span<byte> bytes = stackalloc byte[LayerPath.MaxNameBytes];
        return name.Length > bytes.Length ? null : image.Tree.Find(directory, bytes[..Encoding.Latin1.GetBytes(name, bytes)]);
    }
}
