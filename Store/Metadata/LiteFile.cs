using System.Diagnostics.CodeAnalysis;
using ImageStore.Store.Errors;
using LiteDB;
using LiteDB.Engine;

namespace ImageStore.Store.Metadata;

/// <summary>LiteDB over our own files, used only in the way that was found to lose nothing. One thread calls it.</summary>
/// <remarks>See <c>docs/metadata.md</c> for the rules and what each prevents.</remarks>
internal sealed class LiteFile : IDisposable
{
    /// <summary>Bytes of log beyond which it is moved into the data file as soon as nobody waits.</summary>
    public const long CheckpointBytes = 1 << 20;

    // Beyond this whoever waits has to.
    private const int OverdueCheckpoints = 16;

    private static readonly TimeSpan s_logLimit = TimeSpan.FromSeconds(60);

    private readonly MetadataDisk _disk;
    private readonly bool _canWrite;
    private readonly long _checkpointBytes;
    private long _moveAt;
    private (ulong Generation, int Frames)? _told;
    private PageStore? _pages;
    private DataStream? _data;
    private LogStream? _log;
    private LiteEngine? _engine;

    /// <exception cref="ImageStoreException">The database is damaged, or the disk refused.</exception>
    public LiteFile(MetadataDisk disk, bool canWrite, long checkpointBytes)
    {
        (_disk, _canWrite, _checkpointBytes) = (disk, canWrite, checkpointBytes);
        Guard("Opening", () => _ = IsOpen());
    }

    /// <summary>Rises when a failure has made what was read before uncertain.</summary>
    public int Failures { get; private set; }

    /// <summary>Whether the log is so long that it is to be moved when nobody waits.</summary>
    public bool IsMoveDue => _pages?.Log is { } log && log.Bytes > _moveAt;

    /// <summary>Bytes of all pages.</summary>
    public long Bytes => (_pages?.Count ?? 0) * DataPages.PageBytes;

    /// <summary>Reads; null where a reader finds no database.</summary>
    /// <exception cref="ImageStoreException">The database is damaged, or the disk refused.</exception>
    public T? Read<T>(Func<LiteEngine, T> body)
        where T : class
    {
        T? result = null;
        Guard("Reading", () => result = IsOpen() ? body(_engine!) : null);
        return result;
    }

    /// <summary>Runs <paramref name="body"/> as a transaction: all of it or nothing.</summary>
    /// <param name="body">Changes documents.</param>
    /// <param name="sync">Whether it is durable at the return; else it is when a later one is.</param>
    /// <exception cref="ImageStoreException">The disk refused; the state before stands and later changes may succeed.</exception>
    public void Write(Action<LiteEngine> body, bool sync)
    {
        try
        {
            Guard("Writing", () =>
            {
                _ = IsOpen();
                _engine!.BeginTrans();
                body(_engine);
                _engine.Commit();
                _log!.Settle(LogLength(), s_logLimit);
                if (sync)
                {
                    Sync();
                }
            });
        }
        catch (ImageStoreException)
        {
            TakeBack();
            throw;
        }

        // Not after a change that is not synced: opening cuts the log to what was told, and whoever made the change goes on with it.
        if (sync && _pages!.Log!.Bytes > _moveAt + (_checkpointBytes * OverdueCheckpoints))
        {
            // What was told stays told: the next use moves it, and tells where that fails.
            Close();
        }
    }

    /// <summary>Moves the log into the data file, so that it begins anew.</summary>
    /// <exception cref="ImageStoreException">The disk refused. What was told stays told.</exception>
    public void Move()
    {
        Guard("Writing", Sync);
        Close();
        Guard("Opening", () => _ = IsOpen());
    }

    public void Dispose() => Close();

    /// <summary>Neither LiteDB nor a file after a failed sync can be trusted further: what the disk has is then read anew.</summary>
    private void Guard(string verb, Action action)
    {
        try
        {
            action();
        }
        catch (Exception failure)
        {
            var cause = _log?.Failure ?? _data?.Failure ?? failure;
            Close();
            Failures++;
            throw Translate(cause, $"{verb} the metadata in {_disk.Directory}");
        }
    }

    /// <summary>Cuts what was not told off the log at once, so that it does not come back when the process ends now.</summary>
    private void TakeBack()
    {
        try
        {
            Guard("Opening", () => _ = IsOpen());
        }
        catch (ImageStoreException)
        {
            // The failure before is the one to tell; the next use, or the next process, tries again.
        }
    }

    private void Sync()
    {
        _pages!.Log!.Sync();
        _told = (_pages.Log.Head.Generation, _pages.Log.Count);
    }

    private ImageStoreException Translate(Exception failure, string action) =>
        failure is ImageStoreException or IOException or UnauthorizedAccessException
            ? IoErrors.From(failure, action)
            : new ImageStoreException(
                ErrorKind.Internal,
                $"{action} failed: {Printable.Of(failure.Message)}",
                $"Keep a copy of {_disk.Directory} and report this; nothing in it was changed.",
                failure);

    private int LogLength()
    {
        using var rows = _engine!.Query("$database", new Query());
        rows.Read();
        return rows.Current["logFileSize"].AsInt32;
    }

    /// <summary>Opens the database unless it is open; false when a reader finds none.</summary>
    private bool IsOpen()
    {
        if (_engine is not null)
        {
            return true;
        }

        if (!PageStore.Exists(_disk))
        {
            if (!_canWrite)
            {
                return false;
            }

            PageStore.Create(_disk, EmptyDatabase());
        }

        _pages = PageStore.Open(_disk, _canWrite, _told);
        if (_canWrite)
        {
            MoveLongLog(_pages);
        }

        _told = _pages.Log is { } log ? (log.Head.Generation, log.Count) : null;
        _data = new DataStream(_pages);
        _log = _canWrite ? new LogStream(_pages.Log!) : null;
        _engine = new LiteEngine(Settings(_data, (Stream?)_log ?? new MemoryStream()));
        return true;
    }

    private void MoveLongLog(PageStore pages)
    {
        if (pages.Log!.Bytes > _checkpointBytes && pages.HasRoom())
        {
            // Readers are not waited for: while some are there the log grows, and is tried again after as much again.
            _disk.TryWithoutReaders(TimeSpan.Zero, pages.Move);
        }

        _moveAt = pages.Log.Bytes > _checkpointBytes ? pages.Log.Bytes + _checkpointBytes : _checkpointBytes;
    }

    /// <summary>The pages of a new database whose log LiteDB never moves by itself.</summary>
    private static byte[] EmptyDatabase()
    {
        using var data = new MemoryStream();
        using var log = new MemoryStream();
        using (var engine = new LiteEngine(Settings(data, log)))
        {
            engine.Pragma("CHECKPOINT", 0);
            engine.Checkpoint();
        }

        return data.ToArray();
    }

    private static EngineSettings Settings(Stream data, Stream log) => new()
    {
        DataStream = data,
        LogStream = log,
        TempStream = new MemoryStream(),
        Collation = Collation.Binary,
    };

    [SuppressMessage("Design", "CA1031", Justification = "What LiteDB says on its way out changes nothing: what was told is on disk.")]
    private void Close()
    {
        var (engine, data, log, pages) = (_engine, _data, _log, _pages);
        (_engine, _data, _log, _pages) = (null, null, null, null);
        try
        {
            engine?.Dispose();
        }
        catch (Exception)
        {
            // The files below must be closed all the same, and the failure that led here is the one to tell.
        }

        data?.Dispose();
        log?.Dispose();
        pages?.Dispose();
    }
}
