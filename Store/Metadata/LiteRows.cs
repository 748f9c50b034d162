using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using LiteDB;
using LiteDB.Engine;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Metadata;

/// <summary>LiteDB, used only in the way that was found to lose nothing. One thread calls it.</summary>
/// <remarks>See <c>docs/metadata.md</c> for the rules and what each prevents.</remarks>
internal sealed class LiteRows : IDisposable
{
    /// <summary>Bytes of log beyond which it is moved into the data file.</summary>
    private const long CheckpointBytes = 4 << 20;

    private static readonly TimeSpan s_logLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_openLimit = TimeSpan.FromSeconds(10);

    private readonly MetadataFiles _files;
    private readonly bool _canWrite;
    private FramedLogStream? _log;
    private PositionedStream? _data;
    private LiteEngine? _engine;

    public LiteRows(MetadataFiles files, bool canWrite)
    {
        (_files, _canWrite) = (files, canWrite);
        try
        {
            if (canWrite && !files.Exist)
            {
                Create();
            }

            if (files.Exist)
            {
                Open();
            }
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>All rows of a table.</summary>
    public IEnumerable<(string Key, byte[] Value)> Load(string table)
    {
        if (_engine is null)
        {
            yield break;
        }

        using var rows = _engine.Query(Collection(table), new Query());
        while (rows.Read())
        {
            yield return RowCodec.Decode(table, rows.Current.AsDocument);
        }
    }

    /// <summary>Makes the changes durable, all or none.</summary>
    /// <exception cref="ImageStoreException">The disk refused; the state before stands and later changes may succeed.</exception>
    public void Apply(IReadOnlyDictionary<(string Table, string Key), byte[]?> changes)
    {
        try
        {
            if (_engine is null)
            {
                Open();
            }

            _engine!.BeginTrans();
            foreach (var group in changes.GroupBy(change => change.Key.Table))
            {
                Write(group.Key, group);
            }

            _engine.Commit();
            _log!.WaitForLength(LogLength(), s_logLimit);
            _log.Sync();
        }
        catch (Exception failure)
        {
            // Neither LiteDB nor a file after a failed sync can be trusted further: what the disk has is read anew.
            Close();
            throw Translate(failure);
        }

        if (_log.Length > CheckpointBytes)
        {
            TryCheckpoint(TimeSpan.Zero);
        }
    }

    public void Dispose() => Close();

    private static string Collection(string table) => "t_" + table.Replace('-', '_');

    private static ImageStoreException Translate(Exception failure) =>
        failure is ImageStoreException or IOException or UnauthorizedAccessException
            ? IoErrors.From(failure, "Writing the metadata")
            : new ImageStoreException(
                ErrorKind.Unavailable,
                $"Writing the metadata failed: {Printable.Of(failure.Message)}",
                "Check the disk and free space, then repeat the command.",
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

    private long LogLength()
    {
        using var rows = _engine!.Query("$database", new Query());
        return rows.Read() ? rows.Current["logFileSize"].AsInt64 : 0;
    }

    /// <summary>Makes an empty database under another name, so that no crash leaves half a header under the right one.</summary>
    private void Create()
    {
        File.Delete(_files.NewData);
        File.Delete(_files.Log);
        using (var file = OpenFile(_files.NewData, FileAccess.ReadWrite))
        using (var log = new MemoryStream())
        {
            using var data = new FileStream(file, FileAccess.ReadWrite, bufferSize: 0);
            using (var engine = new LiteEngine(Settings(data, log)))
            {
                engine.Pragma("CHECKPOINT", 0);
                engine.Checkpoint();
            }

            data.Flush(flushToDisk: true);
        }

        File.Move(_files.NewData, _files.Data);
        KernelFile.SyncDirectory(_files.Directory);
    }

    private void Open()
    {
        var logFile = File.Exists(_files.Log) || _canWrite
            ? OpenFile(_files.Log, _canWrite ? FileAccess.ReadWrite : FileAccess.Read)
            : null;
        var dataFile = OpenFile(_files.Data, _canWrite ? FileAccess.ReadWrite : FileAccess.Read);
        if (_canWrite)
        {
            _log = new FramedLogStream(logFile!, canWrite: true);
            _data = new DataFileStream(dataFile, _log);
            _engine = new LiteEngine(Settings(_data, _log));
            if (_log.Length > 0 && !TryCheckpoint(s_openLimit))
            {
                throw new ImageStoreException(
                    ErrorKind.Unavailable,
                    $"Other processes keep reading the metadata in {_files.Directory}.",
                    "Wait for them to end, then repeat the command.");
            }
        }
        else
        {
            _log = logFile is null ? null : new FramedLogStream(logFile, canWrite: false);
            _data = new OverlayStream(new DataFileStream(dataFile, _log!));
            _engine = new LiteEngine(Settings(_data, _log is null ? new MemoryStream() : new OverlayStream(_log)));
        }
    }

    private bool TryCheckpoint(TimeSpan limit) => _files.TryWithoutReaders(limit, () =>
    {
        try
        {
            _engine!.Checkpoint();
        }
        catch (Exception failure)
        {
            // The log still has everything; the next opening repeats the move.
            Close();
            throw Translate(failure);
        }
    });

    private static SafeFileHandle OpenFile(string path, FileAccess access) => File.OpenHandle(
        path,
        access == FileAccess.Read ? FileMode.Open : FileMode.OpenOrCreate,
        access,
        FileShare.ReadWrite | FileShare.Delete);

    private static EngineSettings Settings(Stream data, Stream log) => new()
    {
        DataStream = data,
        LogStream = log,
        TempStream = new MemoryStream(),
        Collation = Collation.Binary,
    };

    private void Close()
    {
        var (engine, data, log) = (_engine, _data, _log);
        (_engine, _data, _log) = (null, null, null);
        try
        {
            engine?.Dispose();
        }
        catch (Exception failure) when (failure is LiteException or IOException or InvalidOperationException)
        {
            // Everything acknowledged is on disk already; what LiteDB says on its way out changes nothing.
        }

        data?.Dispose();
        log?.Dispose();
    }
}
