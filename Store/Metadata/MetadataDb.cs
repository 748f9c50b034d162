using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Metadata;

/// <summary>The facts of a root: one writer thread, group commit, and readers that never wait for it.</summary>
/// <remarks>
/// Reads come from immutable rows that the writer publishes after each durable commit. Transactions are bodies that
/// run on the writer thread; they do no input or output. The owner disposes the database, which waits for what is queued.
/// </remarks>
public sealed class MetadataDb : IAsyncDisposable
{
    /// <summary>Bytes of a key; LiteDB's index takes 1023.</summary>
    public const int MaxKeyBytes = 1000;

    private const int MaxQueued = 4096;
    private const int MaxBatch = 256;
    private static readonly TimeSpan s_readLimit = TimeSpan.FromSeconds(10);

    private readonly MetadataFiles _files;
    private readonly MetadataAccess _access;
    private readonly BlockingCollection<WriterWork> _queue = new(MaxQueued);
    private readonly Task _writer;
    private volatile ImmutableDictionary<string, object> _state = ImmutableDictionary<string, object>.Empty;
    private LiteRows? _rows;

    private MetadataDb(MetadataFiles files, MetadataAccess access)
    {
        (_files, _access) = (files, access);
        _writer = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Opens the database in <paramref name="directory"/>; a writer makes it when it is missing, a reader finds it empty.</summary>
    /// <exception cref="ImageStoreException">It is in use, damaged or cannot be reached.</exception>
    public static async Task<MetadataDb> OpenAsync(string directory, MetadataAccess access, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        MetadataFiles files;
        try
        {
            files = access == MetadataAccess.ReadWrite
                ? MetadataFiles.OpenForWriting(directory)
                : MetadataFiles.OpenForReading(directory, s_readLimit);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Opening the metadata in {directory}");
        }

        var db = new MetadataDb(files, access);
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

    /// <summary>The row, or null.</summary>
    public T? Get<T>(MetadataTable<T> table, string key)
        where T : class => Rows(table).Get(key);

    /// <summary>The rows whose keys begin with <paramref name="keyPrefix"/>, in ordinal order.</summary>
    public IReadOnlyList<KeyValuePair<string, T>> List<T>(MetadataTable<T> table, string keyPrefix)
        where T : class => Rows(table).List(keyPrefix);

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

    /// <summary>Finishes what is queued and closes the files.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.CompleteAdding();
        await _writer.ConfigureAwait(false);
        _queue.Dispose();
    }

    /// <summary>Reads a table from disk. Only the writer thread may.</summary>
    internal TableRows<T> Load<T>(MetadataTable<T> table)
        where T : class =>
        TableRows<T>.Of((_rows ??= new LiteRows(_files, _access == MetadataAccess.ReadWrite)).Load(table.Name)
            .Select(row => KeyValuePair.Create(row.Key, table.Decode(row.Value))));

    private TableRows<T> Rows<T>(MetadataTable<T> table)
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

    private Task<TResult> SubmitAsync<TResult>(Func<MetadataTransaction, TResult> body, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(body);
        var work = new WriterWork<TResult>(body, cancellationToken);
        _queue.Add(work, cancellationToken);
        return work.Done;
    }

    private bool OpenRows()
    {
        _rows = new LiteRows(_files, _access == MetadataAccess.ReadWrite);
        return true;
    }

    private void Run()
    {
        try
        {
            foreach (var first in _queue.GetConsumingEnumerable())
            {
                List<WriterWork> batch = [first];
                while (batch.Count < MaxBatch && _queue.TryTake(out var next))
                {
                    batch.Add(next);
                }

                Commit(batch);
            }
        }
        finally
        {
            _rows?.Dispose();
            _files.Dispose();
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A failed commit is told to all who wait for it; the thread goes on.")]
    private void Commit(List<WriterWork> batch)
    {
        var state = _state;
        List<WriterWork> ran = [];
        Dictionary<(string Table, string Key), byte[]?> changes = [];
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
                state = transaction.State;
                ran.Add(work);
                foreach (var (key, value) in transaction.Changes)
                {
                    changes[key] = value;
                }
            }
        }

        try
        {
            if (changes.Count > 0)
            {
                _rows!.Apply(changes);
            }

            _state = state;
        }
        catch (Exception failure)
        {
            ran.ForEach(work => work.Fail(failure));
            return;
        }

        ran.ForEach(work => work.Complete());
    }
}
