using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Layers;

/// <summary>What a layer's entries mean, wherever they are put; a later one replaces an earlier one of its name.</summary>
/// <remarks>
/// A typeflag outside POSIX is refused, as containerd and docker do. Sockets have no typeflag. A contiguous file ('7')
/// is a usual file. What is remembered by a path is remembered by its real one, since a layer may name a directory through
/// its links and change those afterwards.
/// </remarks>
internal abstract class LayerWriter(InflateRing input, LayerLimits limits)
{
    private const long BlockMask = 511;

    /// <summary>Hard links whose target the layer does not have so far, by their real paths.</summary>
    public Dictionary<string, PendingLink> Pending { get; } = new(StringComparer.Ordinal);

    /// <summary>Whiteouts that were made, by their real paths; some may be replaced by now.</summary>
    public List<string> Whiteouts { get; } = [];

    /// <summary>Bytes of the files' bodies in the archive.</summary>
    public long FileBytes { get; protected set; }

    /// <summary>Did the layer have an entry for the root itself?</summary>
    public bool HasRoot { get; private set; }

    /// <summary>Has <see cref="WhiteoutNames.AufsLinks"/> been made, which no tree is to have?</summary>
    protected bool HasAufsLinks { get; private set; }

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
        if (WhiteoutNames.IsAufs(path))
        {
            // Old layers bring what AUFS kept for itself. No tree has it, but hard links may point at some of it.
            if (type != (byte)'0' || !path.StartsWith(WhiteoutNames.AufsLinks + "/", StringComparison.Ordinal))
            {
                SkipBody(entry);
                return;
            }

            HasAufsLinks = true;
        }

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

    /// <summary>Does what only holds once nothing more is made, after the last entry.</summary>
    public abstract void Finish();

    /// <summary>The path without links of the layer on its way; directories that are missing are made.</summary>
    protected abstract string Real(string path);

    /// <summary>Gives the root what the entry says.</summary>
    protected abstract void Root(TarEntry entry);

    /// <summary>Hides all that lies below a directory.</summary>
    protected abstract void HideContent(string path, string shown);

    /// <summary>Hides one name of what lies below; false where the layer itself has something there.</summary>
    /// <param name="path">The whiteout's path.</param>
    /// <param name="hidden">The name that it hides.</param>
    /// <param name="real">The real path that it hides.</param>
    /// <param name="shown">What errors call it.</param>
    protected abstract bool HideName(string path, string hidden, string real, string shown);

    /// <summary>Makes one entry, and consumes its body when it is a file; <paramref name="type"/> is between <c>0</c> and <c>6</c>.</summary>
    protected abstract void Make(TarEntry entry, byte type, string path, string real, string shown);

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
        var real = Real(path);
        if (type == (byte)'1' && LayerPath.Clean(entry.LinkName, limits) is var target && (target.Length == 0 || target == path || target == real))
        {
            throw LayerFault.Corrupt($"'{shown}' is a hard link to {(target.Length == 0 ? "the root" : "itself")}.");
        }

        if (type == (byte)'2' && entry.LinkName.Length == 0)
        {
            throw LayerFault.Corrupt($"'{shown}' is a symbolic link to nothing.");
        }

        Pending.Remove(real);
        Make(entry, type, path, real, shown);
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
            return;
        }

        var real = Real(path)[..^name.Length] + hidden;
        if (!hidden.StartsWith(WhiteoutNames.Prefix, StringComparison.Ordinal)
            && !Pending.ContainsKey(real)
            && HideName(path, hidden, real, shown))
        {
            Whiteouts.Add(real);
        }
    }

    private void SkipBody(TarEntry entry)
    {
        input.Skip(entry.Size);
        input.SkipPadding(-entry.Size & BlockMask);
    }
}
