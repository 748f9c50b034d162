using System.Diagnostics.CodeAnalysis;
using ImageStore.Store.Errors;
using LiteDB;
using LiteDB.Engine;

namespace ImageStore.Store.Metadata;

/// <summary>LiteDB, used only in the way that was found to lose nothing. One thread calls it.</summary>
/// <remarks>See <c>docs/metadata.md</c> for the rules and what each prevents.</remarks>
internal sealed class LiteRows : IDisposable
{
    /// <summary>Bytes of log beyond which it is moved into the data file.</summary>
    public const long CheckpointBytes = 1 << 20;

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
    public LiteRows(MetadataDisk disk, bool canWrite, long checkpointBytes)
    {
        (_disk, _canWrite, _checkpointBytes) = (disk, canWrite, checkpointBytes);
        _moveAt = checkpointBytes;
        Guard("Opening", () => _ = IsOpen());
    }

    /// <summary>All rows of a table.</summary>
    /// <exception cref="ImageStoreException">The database is damaged, or the disk refused.</exception>
    public IReadOnlyList<(string Key, byte[] Value)> Load(string table)
    {
        List<(string Key, byte[] Value)> result = [];
        Guard("Reading", () =>
        {
            if (!IsOpen())
            {
                return;
            }

            using var rows = _engine!.Query(Collection(table), new Query());
            while (rows.Read())
            {
                result.Add(RowCodec.Decode(table, rows.Current.AsDocument));
            }
        });
        return result;
    }

    /// <summary>Makes the changes durable, all or none.</summary>
    /// <exception cref="ImageStoreException">The disk refused; the state before stands and later changes may succeed.</exception>
    public void Apply(IReadOnlyDictionary<(string Table, string Key), byte[]?> changes)
    {
        Guard("Writing", () =>
        {
            _ = IsOpen();
            _engine!.BeginTrans();
            foreach (var group in changes.GroupBy(change => change.Key.Table))
            {
                Write(group.Key, group);
            }

            _engine.Commit();
            _log!.Commit(LogLength(), s_logLimit);
            _told = (_pages!.Log!.Head.Generation, _pages.Log.Count);
        });

        if (_pages!.Log!.Bytes > _moveAt)
        {
            // What was told stays told: a failure to move it is met again, and told, by the next use.
            Close();
        }
    }

    public void Dispose() => Close();

    private static string Collection(string table) => "t_" + table.Replace('-', '_');

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
            throw Translate(cause, $"{verb} the metadata in {_disk.Directory}");
        }
    }

    private ImageStoreException Translate(Exception failure, string action) =>
        failure is ImageStoreException or IOException or UnauthorizedAccessException
            ? IoErrors.From(failure, action)
            : new ImageStoreException(
                ErrorKind.Internal,
                $"{action} failed: {Printable.Of(failure.Message)}",
                $"Keep a copy of {_disk.Directory} and report this; nothing in it was changed.",
                failure);

    private void Write(string table, IEnumerable<KeyValuePair<(string Table, string Key), byte[]?>> changes)
    {
        List<BsonDocument> put = [];
        List<BsonValue> delete = [];
        foreach (var ((_, key), value) in changes)
        {
            if (value is null)
            {
                delete.Add(key);
            }
            else
            {
                put.Add(RowCodec.Encode(table, key, value));
            }
        }

        if (put.Count > 0)
        {
            _engine!.Upsert(Collection(table), put, BsonAutoId.ObjectId);
        }

        if (delete.Count > 0)
        {
            _engine!.Delete(Collection(table), delete);
        }
    }

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
        if (_canWrite && _pages.Log!.Bytes > _moveAt)
        {
            // Readers are not waited for: while some are there the log grows, and is tried again after as much again.
            _disk.TryWithoutReaders(TimeSpan.Zero, _pages.Move);
            _moveAt = _pages.Log.Bytes + _checkpointBytes;
        }

        _told = _pages.Log is { } log ? (log.Head.Generation, log.Count) : null;
        _data = new DataStream(_pages);
        _log = _canWrite ? new LogStream(_pages.Log!) : null;
        _engine = new LiteEngine(Settings(_data, (Stream?)_log ?? new MemoryStream()));
        return true;
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
