using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>Writes changes as the tar of a layer (OCI image spec, layer.md).</summary>
/// <remarks>
/// A file with several names comes once, and its other names as hard links to the first. Holes are written as zeros, since the
/// specification advises against sparse entries; they are not read. Bodies go through one buffer whatever their size.
/// </remarks>
internal sealed class LayerTarWriter(Stream output, DiffOptions options, CancellationToken cancellationToken)
{
    private const int BufferBytes = 256 * 1024;
    private const int BlocksInStatus = 512;
    private const uint Permissions = 0xFFF;

    private readonly Dictionary<(uint, uint, ulong), string> _links = [];
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly byte[] _zeros = new byte[BufferBytes];

    public long Entries { get; private set; }

    public void Write(TreeChange change)
    {
        if (change.Kind == ChangeKind.Deleted)
        {
            if (!change.IsCovered)
            {
                var slash = change.Path.LastIndexOf('/') + 1;
                Whiteout(change.Path[..slash] + WhiteoutNames.Prefix + change.Path[slash..]);
            }

            return;
        }

        Entry(change.Entry, change.Path);
        if (change.IsOpaque)
        {
            Whiteout(change.Path + "/" + WhiteoutNames.Opaque);
        }
    }

    /// <summary>Ends the archive.</summary>
    public void Finish() => output.Write(_zeros.AsSpan(0, 2 * TarHeader.Block));

    private void Whiteout(string path) => Put(new TarHeader('0', path, 0, 0), path);

    private void Entry(FoundEntry entry, string path)
    {
        var status = entry.Status;
        var key = (status.DevMajor, status.DevMinor, status.Inode);
        if (entry.IsLinked)
        {
            if (_links.TryGetValue(key, out var first))
            {
                var link = new TarHeader('1', path, status.Mode & Permissions, 0);
                link.Link(first);
                Describe(link, entry);
                Put(link, path);
                return;
            }

            _links[key] = path;
        }

        if (entry.IsRegular)
        {
            File(entry, path);
            return;
        }

        var (type, name) = status.Type switch
        {
            FileType.Directory => ('5', path.Length == 0 ? "./" : path + "/"),
            FileType.Symlink => ('2', path),
            FileType.CharDevice => ('3', path),
            FileType.BlockDevice => ('4', path),
            FileType.Fifo => ('6', path),
            _ => throw DiffFault.Unsupported(path, "is of a kind that no layer can hold"),
        };
        var header = new TarHeader(type, name, status.Mode & Permissions, 0);
        if (entry.IsSymlink)
        {
            header.Link(System.Text.Encoding.Latin1.GetString(EntryComparison.Target(entry, path)));
        }
        else if (entry.IsDevice)
        {
            header.Device(status.RdevMajor, status.RdevMinor);
        }

        Describe(header, entry);
        Attributes(header, entry, path);
        Put(header, path);
    }

    private void File(FoundEntry entry, string path)
    {
        var size = (long)entry.Status.Size;
        var header = new TarHeader('0', path, entry.Status.Mode & Permissions, size);
        Describe(header, entry);
        Attributes(header, entry, path);
        if (size == 0)
        {
            Put(header, path);
            return;
        }

        using var file = EntryFile.Open(entry, path);
        Put(header, path);
        var isSparse = (long)entry.Status.Blocks * BlocksInStatus < size;
        for (var at = 0L; at < size;)
        {
            var (start, end) = isSparse ? FileHoles.NextData(file, at, size, LayerFault.Show(path)) : (0, size);
            Zeros(start - at);
            for (at = start; at < end;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var count = EntryFile.Read(file, _buffer.AsSpan(0, (int)Math.Min(BufferBytes, end - at)), at, path);
                if (count == 0)
                {
                    // The header has promised a size.
                    throw DiffFault.Changed(path);
                }

                output.Write(_buffer.AsSpan(0, count));
                at += count;
            }
        }

        Zeros(-size & (TarHeader.Block - 1));
    }

    private void Zeros(long count)
    {
        for (; count > 0; count -= BufferBytes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            output.Write(_zeros.AsSpan(0, (int)Math.Min(BufferBytes, count)));
        }
    }

    private void Describe(TarHeader header, in FoundEntry entry)
    {
        header.Owner(entry.Status.Uid, entry.Status.Gid);
        var time = entry.Status.ModifyTime;
        var isLate = options.LatestTime is { } latest && (time.Seconds > latest || (time.Seconds == latest && time.Nanoseconds > 0));
        header.Time(isLate ? options.LatestTime!.Value : time.Seconds, isLate ? 0 : time.Nanoseconds);
    }

    private void Attributes(TarHeader header, in FoundEntry entry, string path)
    {
        foreach (var (name, value) in EntryAttributes.Read(entry))
        {
            var text = System.Text.Encoding.Latin1.GetString(name)[..^1];
            if (text.Contains('=', StringComparison.Ordinal))
            {
                throw DiffFault.Unsupported(path, "has an extended attribute with an equals sign in its name, which a tar cannot hold");
            }

            if (value.Length > options.Limits.MaxXattrBytes)
            {
                throw DiffFault.Limit(path, "extended attributes");
            }

            header.Attribute(text, value);
        }

        if (header.ExtendedBytes > options.Limits.MaxHeaderBytes)
        {
            throw DiffFault.Limit(path, "extended attributes");
        }
    }

    private void Put(TarHeader header, string path)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (++Entries > options.Limits.MaxEntries)
        {
            throw DiffFault.Limit(path, "entries");
        }

        output.Write(header.ToBytes());
    }
}
