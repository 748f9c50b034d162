using System.Runtime.InteropServices;
using System.Text;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>The one class that turns a layer's names into open directories inside the root.</summary>
internal sealed class RootedPath(string root, LayerLimits limits, LayerFormat format) : IDisposable
{
    private const int NotFound = 2;
    private const int NotADirectory = 20;
    private SafeFileHandle? _parent;
    private string _parentPath = "";
    private string? _realParent;

    public SafeFileHandle Root { get; } = OpenAt.HostDirectory(root);

    /// <summary>Directories made on the way, as their real paths.</summary>
    public HashSet<string> Implied { get; } = new(StringComparer.Ordinal);

    /// <summary>Directories made over what the layer removed before: nothing below tells of them.</summary>
    public HashSet<string> Fresh { get; } = new(StringComparer.Ordinal);

    public static byte[] Name(string text) => Encoding.Latin1.GetBytes(text + "\0");

    /// <summary>Opens the parent, making what is missing; the handle stays ours.</summary>
    public (SafeFileHandle Parent, byte[] Name) Parent(string clean)
    {
        var slash = clean.LastIndexOf('/');
        var path = slash < 0 ? "" : clean[..slash];
        if (_parent is null || path != _parentPath)
        {
            Forget();
            _realParent = path;
            _parent = Open(path);
            _parentPath = path;
        }

        return (_parent, Name(clean[(slash + 1)..]));
    }

    /// <summary>The path that <paramref name="clean"/> has without links of the layer on its way: by it things are remembered.</summary>
    /// <remarks>Right after <see cref="Parent"/> of the same path, which finds it out.</remarks>
    public string Real(string clean)
    {
        var name = clean[(clean.LastIndexOf('/') + 1)..];
        return (_realParent ??= RealPath(_parent!)) is { Length: > 0 } parent ? $"{parent}/{name}" : name;
    }

    /// <summary>The open parent may have been removed or replaced.</summary>
    public void Forget()
    {
        _parent?.Dispose();
        _parent = null;
        _realParent = null;
    }

    /// <summary>The path inside the root that <paramref name="directory"/> really has.</summary>
    public string RealPath(SafeFileHandle directory)
    {
        static string Link(SafeFileHandle h) => Encoding.Latin1.GetString(
            NameAt.ReadLink(h, Name($"/proc/self/fd/{h.DangerousGetHandle()}"), "a directory handle"));
        var top = Link(Root);
        var full = Link(directory);
        return full.Length > top.Length ? full[(top.Length + 1)..] : "";
    }

    public void Dispose()
    {
        Forget();
        Root.Dispose();
    }

    private SafeFileHandle Open(string path)
    {
        var name = Name(path.Length == 0 ? "." : path);
        if (OpenAt.Directory(Root, name) is { } direct)
        {
            return direct;
        }

        if (OpenAt.DirectoryInRoot(Root, name) is { } linked)
        {
            _realParent = null;

            // Links multiply a path's depth, and who walks the tree later pays for each level.
            if (IsTooDeep(linked))
            {
                linked.Dispose();
                throw LayerPath.TooDeep(limits);
            }

            return linked;
        }

        var error = Marshal.GetLastPInvokeError();
        return error is NotFound or NotADirectory ? Make(path) : throw KernelError.Of(error, $"open '{LayerFault.Show(path)}'");
    }

    private bool IsTooDeep(SafeFileHandle directory)
    {
        try
        {
            var real = RealPath(directory);
            return real.Length > limits.MaxPathBytes || real.AsSpan().Count('/') + 2 > limits.MaxDepth;
        }
        catch (ImageStoreException e) when (e.Kind == ErrorKind.CorruptData)
        {
            // The kernel cannot even name it.
            return true;
        }
    }

    private SafeFileHandle Make(string path)
    {
        var slash = path.LastIndexOf('/');
        using var above = Open(slash < 0 ? "" : path[..slash]);
        var name = Name(path[(slash + 1)..]);
        var shown = LayerFault.Show(path);
        var hidden = FileMetadata.TryGet(above, name) is { IsWhiteout: true };
        if (hidden)
        {
            NameAt.Remove(above, name, shown);
        }

        if (!NameAt.MakeDirectory(above, name, 0x1ED, shown))
        {
            throw LayerFault.Corrupt($"'{shown}' is used as a directory and is none.");
        }

        var made = OpenAt.Directory(above, name) ?? throw KernelError.Last($"open '{shown}'");
        InodeChange.Permit(made, 0x1ED, shown);
        if (hidden)
        {
            Xattr.Set(above, name, format.OpaqueXattr, "y"u8, shown);
            Fresh.Add(RealPath(made));
        }
        else
        {
            Implied.Add(RealPath(made));
        }

        return made;
    }
}
