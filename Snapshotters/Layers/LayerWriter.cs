using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Layers;

/// <summary>What a layer's entries mean, wherever they are put; a later one replaces an earlier one of its name.</summary>
/// <remarks>
/// A typeflag outside POSIX is refused, as containerd and docker do. Sockets have no typeflag. A contiguous file ('7')
/// is a usual file.
/// </remarks>
internal abstract class LayerWriter(InflateRing input, LayerLimits limits)
{
    private const long BlockMask = 511;

    /// <summary>Hard links whose target the layer does not have so far: link path to target path.</summary>
    public Dictionary<string, string> Pending { get; } = [];

    /// <summary>Bytes of the files' bodies in the archive.</summary>
    public long FileBytes { get; protected set; }

    /// <summary>Did the layer have an entry for the root itself?</summary>
    public bool HasRoot { get; private set; }

    public void Write(TarEntry entry)
    {
        var type = entry.Type is 0 or (byte)'7' ? (byte)'0' : entry.Type;
        if (type is < (byte)'0' or > (byte)'6')
        {
            // Left out, it would be a file that is missing and nobody knows.
            throw new ImageStoreException(
                ErrorKind.Unsupported,
                $"The layer's entry '{LayerFault.Show(entry.Name)}' has the tar type {type}, which is none of a file system.",
                "Have the image built again by a present-day tool.");
        }

        var path = LayerPath.Clean(entry.Name, limits);
        type = type == (byte)'0' && entry.Name.EndsWith('/') ? (byte)'5' : type;
        var name = path[(path.LastIndexOf('/') + 1)..];
        if (name.StartsWith(WhiteoutNames.Prefix, StringComparison.Ordinal))
        {
            Whiteout(path, name);
            SkipBody(entry);
        }
        else if (path.Length == 0)
        {
            Root(entry, type);
        }
        else
        {
            Entry(entry, type, path);
        }
    }

    /// <summary>Gives the root what the entry says.</summary>
    protected abstract void Root(TarEntry entry);

    /// <summary>Hides all that lies below a directory.</summary>
    protected abstract void HideContent(string path, string shown);

    /// <summary>Hides one name of what lies below.</summary>
    protected abstract void HideName(string path, string name, string hidden, string shown);

    /// <summary>Makes one entry, and consumes its body when it is a file; <paramref name="type"/> is between <c>0</c> and <c>6</c>.</summary>
    protected abstract void Make(TarEntry entry, byte type, string path, string shown);

    /// <summary>The attributes that the entry may have.</summary>
    protected IEnumerable<(byte[] Name, byte[] Value)> Attributes(TarEntry entry)
    {
        foreach (var (key, value) in entry.Xattrs)
        {
            var attribute = RootedPath.Name(key);
            if (OverlayAttributes.Owns(attribute)
                || (entry.Type is >= (byte)'2' and not ((byte)'5' or (byte)'7') && attribute.AsSpan().StartsWith("user."u8)))
            {
                // The kernel takes a user's attributes for files and directories only; containerd leaves the others out too.
                continue;
            }

            if (value.Length > limits.MaxXattrBytes)
            {
                throw LayerFault.Limit("extended attribute bytes");
            }

            yield return (attribute, value);
        }
    }

    /// <summary>Refuses a device that overlayfs would take for a whiteout.</summary>
    protected static void CheckDevice(TarEntry entry, byte type, string shown)
    {
        if (type == (byte)'3' && (entry.Major, entry.Minor) == (0, 0))
        {
            throw LayerFault.Corrupt($"'{shown}' is a character device 0:0, which would forge a whiteout.");
        }
    }

    /// <summary>Forgets links that wait below a directory that is gone: they must not reach what takes its place.</summary>
    protected void ForgetPending(string below)
    {
        foreach (var gone in Pending.Keys.Where(k => k.StartsWith(below, StringComparison.Ordinal)).ToList())
        {
            Pending.Remove(gone);
        }
    }

    private void Root(TarEntry entry, byte type)
    {
        if (type != (byte)'5')
        {
            throw LayerFault.Corrupt("the root entry is no directory.");
        }

        Root(entry);
        HasRoot = true;
        SkipBody(entry);
    }

    private void Entry(TarEntry entry, byte type, string path)
    {
        var shown = LayerFault.Show(path);
        if (type == (byte)'1' && LayerPath.Clean(entry.LinkName, limits) == path)
        {
            throw LayerFault.Corrupt($"'{shown}' is a hard link to itself.");
        }

        Make(entry, type, path, shown);
        if (type == (byte)'0')
        {
            input.SkipPadding(-entry.Size & BlockMask);
        }
        else
        {
            // Only a directory that is told by its trailing slash has a body.
            SkipBody(entry);
        }
    }

    private void Whiteout(string path, string name)
    {
        var shown = LayerFault.Show(path);
        var hidden = name[WhiteoutNames.Prefix.Length..];
        if (hidden is "" or "." or "..")
        {
            throw LayerFault.Corrupt($"'{shown}' is an invalid whiteout.");
        }

        if (name == WhiteoutNames.Opaque)
        {
            HideContent(path, shown);
        }
        else
        {
            HideName(path, name, hidden, shown);
        }
    }

    private void SkipBody(TarEntry entry)
    {
        input.Skip(entry.Size);
        input.SkipPadding(-entry.Size & BlockMask);
    }
}
