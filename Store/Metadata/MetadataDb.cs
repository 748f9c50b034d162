using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Metadata;

/// <summary>The facts of a root: one writer thread, group commit, and readers that never wait for it.</summary>
/// <remarks>
/// Reads come from immutable rows that the writer publishes after each durable commit. Transactions are bodies that
/// run on the writer thread; they do no input or output. The owner disposes the database, which waits for what is queued.
/// </remarks>
public sealed class MetadataDb : IMetadataReader, IAsyncDisposable
{
    /// <summary>Bytes of a key; LiteDB's index takes 1023.</summary>
    public const int MaxKeyBytes = 1000;

    /// <summary>Bytes of a row; LiteDB takes 16 MiB, and one row must not fail those committed with it.</summary>
    public const int MaxRowBytes = 8 << 20;

    private const int MaxQueued = 4096;
    private const int MaxBatch = 256;
    private const int JournalsPerCheckpoint = 4;
    private static readonly TimeSpan s_idle = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_readLimit = TimeSpan.FromSeconds(10);

    private readonly MetadataDisk _disk;
    private readonly MetadataAccess _access;
    private readonly long _checkpointBytes;
    private readonly TimeSpan _idle;
    private readonly BlockingCollection<WriterWork> _queue = new(MaxQueued);
    private readonly Task _writer;
    private volatile ImmutableDictionary<string, object> _state = ImmutableDictionary<string, object>.Empty;
    private volatile MetadataWatch? _watch;
    private LiteRows? _rows;
    private bool _tidyFailed;
    private int _disposed;

    private MetadataDb(MetadataDisk disk, MetadataAccess access, long checkpointBytes, TimeSpan idle)
    {
        (_disk, _access, _checkpointBytes, _idle) = (disk, access, checkpointBytes, idle);
        _writer = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Opens the database in <paramref name="directory"/>; a writer makes it when it is missing, a reader finds it empty.</summary>
    /// <exception cref="ImageStoreException">It is in use, damaged or cannot be reached.</exception>
    public static async Task<MetadataDb> OpenAsync(string directory, MetadataAccess access, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        MetadataDisk disk;
        try
        {
            disk = access == MetadataAccess.ReadWrite
                ? MetadataFiles.OpenForWriting(directory)
                : MetadataFiles.OpenForReading(directory, s_readLimit);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Opening the metadata in {directory}");
        }

        return await OpenAsync(disk, access, LiteFile.CheckpointBytes, s_idle, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens the database on <paramref name="disk"/>, which it takes over.</summary>
    /// <param name="disk">Where its files are.</param>
    /// <param name="access">Whether it is written.</param>
    /// <param name="checkpointBytes">How long the log gets before it is moved.</param>
    /// <param name="idle">How long nobody has asked for anything when the files are tidied; zero for after each commit, whoever waits.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    internal static async Task<MetadataDb> OpenAsync(
        MetadataDisk disk, MetadataAccess access, long checkpointBytes, TimeSpan idle, CancellationToken cancellationToken)
    {
        var db = new MetadataDb(disk, access, checkpointBytes, idle);
        try
        {
            await db.SubmitAsync(_ => db.OpenRows(), cancellationToken).ConfigureAwait(false);
            return db;
        }
        catch
        {
            await db.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Whether anything was changed since it was opened.</summary>
    internal bool HasCommitted { get; private set; }

    /// <inheritdoc/>
    public T? Get<T>(MetadataTable<T> table, string key)
        where T : class => Rows(table).Get(key);

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, T>> List<T>(MetadataTable<T> table, string keyPrefix)
        where T : class => Rows(table).List(keyPrefix);

    /// <inheritdoc/>
    public RowTotals Totals<T>(MetadataTable<T> table, string @namespace)
        where T : class => Rows(table).Totals(@namespace);

    /// <inheritdoc/>
    public IReadOnlyList<string> NamespacesOf<T>(MetadataTable<T> table)
        where T : class => Rows(table).Namespaces;

    /// <summary>Runs <paramref name="body"/> as a transaction; the task ends when its changes are durable.</summary>
    /// <remarks>A body that throws changes nothing. Once it has begun it is no longer cancelled.</remarks>
    /// <exception cref="ImageStoreException">The disk refused: nothing was changed.</exception>
    public Task<TResult> CommitAsync<TResult>(Func<MetadataTransaction, TResult> body, CancellationToken cancellationToken) =>
        _access == MetadataAccess.ReadWrite
            ? SubmitAsync(body, cancellationToken)
            : throw new InvalidOperationException("The metadata is open for reading.");

    /// <inheritdoc cref="CommitAsync{TResult}"/>
    public Task CommitAsync(Action<MetadataTransaction> body, CancellationToken cancellationToken) =>
        CommitAsync(
            tx =>
            {
                body(tx);
                return true;
            },
            cancellationToken);

    /// <summary>All rows as they are now, whatever happens to them later.</summary>
    public IMetadataReader View() => new MetadataView(this, _state);

    /// <summary>All rows as they are now, and from then on the keys of those that change; one at a time.</summary>
    internal async Task<(MetadataView View, MetadataWatch Watch)> WatchAsync(CancellationToken cancellationToken)
    {
        // Begun by the writer itself, so no transaction falls between the watch and the view.
        var watch = new MetadataWatch();
        var state = await SubmitAsync(
            tx =>
            {
                _watch = watch;
                return tx.State;
            },
            cancellationToken).ConfigureAwait(false);
        return (new MetadataView(this, state), watch);
    }

    /// <summary>Ends what <see cref="WatchAsync"/> began.</summary>
    internal void Unwatch() => _watch = null;

    /// <summary>Finishes what is queued and closes the files.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _queue.CompleteAdding();
            await _writer.ConfigureAwait(false);
            _queue.Dispose();
        }
    }

    /// <summary>Reads a table from disk. Only the writer thread may.</summary>
    internal TableRows<T> Load<T>(MetadataTable<T> table)
        where T : class =>
        TableRows<T>.Of(table, _rows!.Load(table.Name).Select(row => KeyValuePair.Create(row.Key, Decode(table, row.Key, row.Value!.Value))));

    private T Decode<T>(MetadataTable<T> table, string key, ReadOnlyMemory<byte> value)
        where T : class
    {
        try
        {
            return table.Decode(value.Span);
        }
        catch (Exception failure) when (failure is JsonException or NotSupportedException or ArgumentException or FormatException)
        {
            throw new ImageStoreException(
                ErrorKind.Unsupported,
                $"The row {Printable.Of(key)} of the table {table.Name} in {_disk.Directory} is not understood: {Printable.Of(failure.Message)}",
                "Use the imagestore that wrote it, or a newer one.",
                failure);
        }
    }

    internal TableRows<T> Rows<T>(MetadataTable<T> table)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(table);
        if (!_state.TryGetValue(table.Name, out var rows))
        {
            // The first use of a table: the body loads it, and the commit of nothing publishes it.
            SubmitAsync(tx => tx.Get(table, string.Empty), CancellationToken.None).GetAwaiter().GetResult();
            rows = _state[table.Name];
        }

        return (TableRows<T>)rows;
    }

    private bool CanTidy => _access == MetadataAccess.ReadWrite && !_tidyFailed && _rows is not null;

    private Task<TResult> SubmitAsync<TResult>(Func<MetadataTransaction, TResult> body, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(body);
        var work = new WriterWork<TResult>(body, cancellationToken);
        _queue.Add(work, cancellationToken);
        return work.Done;
    }

    private bool OpenRows()
    {
        var file = new LiteFile(_disk, _access == MetadataAccess.ReadWrite, _checkpointBytes);
        _rows = new LiteRows(file, _checkpointBytes / JournalsPerCheckpoint);
        return true;
    }

    private void Run()
    {
        try
        {
            while (!_queue.IsCompleted)
            {
                if (_queue.TryTake(out var first, CanTidy && _rows!.IsTidyDue ? _idle : Timeout.InfiniteTimeSpan))
                {
                    Commit(Batch(first));
                    while (CanTidy && (_rows!.IsTidyOverdue || (_idle == TimeSpan.Zero && _rows.IsTidyDue)))
                    {
                        Tidy();
                    }
                }
                else if (!_queue.IsCompleted)
                {
                    Tidy();
                }
            }
        }
        finally
        {
            if (CanTidy)
            {
                _disk.KeepReserve();
            }

            _rows?.Dispose();
            _disk.Dispose();
        }
    }

    private List<WriterWork> Batch(WriterWork first)
    {
        List<WriterWork> batch = [first];
        while (batch.Count < MaxBatch && _queue.TryTake(out var next))
        {
            batch.Add(next);
        }

        return batch;
    }

    private void Tidy()
    {
        try
        {
            _rows!.Tidy();
        }
        catch (ImageStoreException)
        {
            // Nobody asked for it, and nothing is lost. It is not tried again before somebody commits, who is told of a disk that goes on refusing.
            _tidyFailed = true;
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A failed commit is told to all who wait for it; the thread goes on.")]
    private void Commit(List<WriterWork> batch)
    {
        _tidyFailed = false;
        var state = _state;
        List<WriterWork> ran = [];
        MetadataChanges changes = [];
        foreach (var work in batch)
        {
            if (work.IsCancelled)
            {
                work.Cancel();
                continue;
            }

            var transaction = new MetadataTransaction(this, state);
            if (work.TryRun(transaction))
            {
                state = transaction.Seal();
                ran.Add(work);
                changes.Add(transaction.Changes);
                if (!transaction.IsUnwatched)
                {
                    _watch?.Note(transaction.Changes);
                }
            }
        }

        try
        {
            if (!changes.IsEmpty)
            {
                Apply(changes);
                HasCommitted = true;
            }

            _state = state;
        }
        catch (Exception failure)
        {
            ran.ForEach(work => work.Fail(failure));
            return;
        }

        ran.ForEach(work => work.Complete());
        _disk.KeepReserve();
    }

    private void Apply(MetadataChanges changes)
    {
        try
        {
            _rows!.Apply(changes);
        }
        catch (ImageStoreException full) when (full.Kind == ErrorKind.NoSpace && changes.HasRemovals && _disk.GiveUpReserve())
        {
            // Files go after their rows, so a full disk is freed by nothing else.
            _rows!.Apply(changes);
        }
    }
}
