using ImageStore.Store.Errors;

namespace ImageStore.Store.Metadata;

/// <summary>The data file and the log as one set of pages.</summary>
/// <remarks>LiteDB reads pages and appends to the log; it never writes the data file, which <see cref="Move"/> alone does.</remarks>
internal sealed class PageStore : IDisposable
{
    private const int PageBytes = DataPages.PageBytes;
    private const ulong FirstGeneration = 1;

    private readonly DataPages _data;
    private readonly PageLog? _log;
    private readonly Dictionary<long, byte[]> _logged;

    private PageStore(DataPages data, PageLog? log, Dictionary<long, byte[]> logged)
    {
        (_data, _log, _logged) = (data, log, logged);
        Count = logged.Keys.Select(page => page + 1).Append(data.Head.Extent).Max();
    }

    /// <summary>Pages, with those that only the log has.</summary>
    public long Count { get; }

    /// <summary>The log; null when a reader found one that was moved already.</summary>
    public PageLog? Log => _log;

    /// <summary>Whether a database was made here.</summary>
    /// <exception cref="ImageStoreException">There is a log in use without its data file (<see cref="ErrorKind.CorruptData"/>).</exception>
    public static bool Exists(MetadataDisk disk)
    {
        if (disk.Exists(MetadataDisk.Data))
        {
            return true;
        }

        if (disk.Exists(MetadataDisk.Log))
        {
            using var log = disk.Open(MetadataDisk.Log, canWrite: false);
            var head = FileHead.TryRead(log, FileHead.LogMagic, out _);
            if (log.Length > FileHead.Bytes || head is { Generation: > FirstGeneration } or { Extent: > 0 })
            {
                throw FileHead.Damaged(disk.PathOf(MetadataDisk.Data), "it is missing, while its log is there");
            }
        }

        return false;
    }

    /// <summary>Makes a database of <paramref name="pages"/>; it gets its name when it is whole, after its log.</summary>
    public static void Create(MetadataDisk disk, ReadOnlySpan<byte> pages)
    {
        var database = FileHead.NewSalt();
        using (var log = disk.Create(MetadataDisk.Log))
        {
            PageLog.Create(log, database, FirstGeneration);
        }

        using (var data = DataPages.Begin(disk.Create(MetadataDisk.NewData), disk.PathOf(MetadataDisk.NewData), database))
        {
            var count = pages.Length / PageBytes;
            for (var page = 0; page < count; page++)
            {
                data.Write(page, pages.Slice(page * PageBytes, PageBytes));
            }

            data.Publish(FirstGeneration, count);
        }

        // A data file that has its name must never be without its log; that it has it is made durable by the opening.
        disk.SyncNames();
        disk.Rename(MetadataDisk.NewData, MetadataDisk.Data);
    }

    /// <summary>Opens both files.</summary>
    /// <param name="disk">Where they lie.</param>
    /// <param name="canWrite">Whether the log is appended to.</param>
    /// <param name="told">What this process told its callers to be durable: a change that failed after it is cut.</param>
    public static PageStore Open(MetadataDisk disk, bool canWrite, (ulong Generation, int Frames)? told)
    {
        DataPages? data = null;
        PageLog? log = null;
        try
        {
            data = Take(disk, MetadataDisk.Data, canWrite, (file, path) => new DataPages(file, path));
            if (!disk.Exists(MetadataDisk.Log))
            {
                throw FileHead.Damaged(disk.PathOf(MetadataDisk.Log), "it is missing");
            }

            log = Take(disk, MetadataDisk.Log, canWrite, (file, path) => new PageLog(file, path));
            var (has, wants) = (log.Head.Generation, data.Head.Generation);
            if (log.Head.Database != data.Head.Database || (has != wants && has + 1 != wants))
            {
                throw FileHead.Damaged(
                    disk.PathOf(MetadataDisk.Log), $"it does not belong to {MetadataDisk.Data} as that is now (log {has}, data {wants})");
            }

            if (has == wants)
            {
                var limit = told is not { } known ? int.MaxValue : known.Generation == has ? known.Frames : 0;
                var logged = log.Recover(limit);
                if (canWrite)
                {
                    MakeNamesDurable(disk, log);
                    log.Cut();
                }

                return new PageStore(data, log, logged);
            }

            if (canWrite)
            {
                // Whoever moved the log may have failed before this was durable; without it the new log would not count.
                data.Publish(wants, data.Head.Extent);
                log.Reset(wants);
                return new PageStore(data, log, []);
            }

            log.Dispose();
            return new PageStore(data, null, []);
        }
        catch
        {
            log?.Dispose();
            data?.Dispose();
            throw;
        }
    }

    /// <summary>Whether the disk has room for all pages in the data file: one that is full must not keep from the log who comes to remove.</summary>
    public bool HasRoom() => _data.HasRoom(Count);

    /// <summary>Moves what the log had when it was opened into the data file, and begins it anew.</summary>
    public void Move()
    {
        foreach (var (page, content) in _logged)
        {
            _data.Write(page, content);
        }

        _data.Publish(_data.Head.Generation + 1, Count);
        _log!.Reset(_data.Head.Generation);
        _logged.Clear();
    }

    public void Read(long page, Span<byte> buffer)
    {
        if (_logged.TryGetValue(page, out var logged))
        {
            logged.CopyTo(buffer);
        }
        else
        {
            _data.Read(page, buffer);
        }
    }

    public void Dispose()
    {
        _log?.Dispose();
        _data.Dispose();
    }

    /// <summary>Until the first commit nothing says that the creator lived to sync the names.</summary>
    private static void MakeNamesDurable(MetadataDisk disk, PageLog log)
    {
        if (log.Head is { Generation: FirstGeneration, Extent: 0 })
        {
            disk.SyncNames();
        }
    }

    private static T Take<T>(MetadataDisk disk, string name, bool canWrite, Func<MetadataFile, string, T> open)
    {
        var file = disk.Open(name, canWrite);
        try
        {
            return open(file, disk.PathOf(name));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
