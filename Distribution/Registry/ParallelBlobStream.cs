using System.Buffers;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Registry;

/// <summary>A large blob over as many connections as make it come faster, in its order.</summary>
/// <remarks>
/// It begins on one connection. Where that is slow, the bytes ahead are fetched in ranges at the same time, on one more
/// connection after the other as long as each makes the whole clearly faster. What is ahead is held in memory, bounded
/// for the whole process; a connection that is fast enough stays alone, and costs nothing.
/// </remarks>
internal sealed class ParallelBlobStream(RepositoryAccess repository, Descriptor blob, BlobStream head) : RegistryBlobStream
{
    private const int ChunkBytes = 2 * 1024 * 1024;
    private const int MaxConnections = 12;
    private const int FirstConnections = 4;

    // So much is read on the first connection before it is judged; then again and again, as servers that limit a
    // connection let it burst first.
    private const long FirstJudgedAfter = 1024 * 1024;
    private const long JudgedEach = 4 * 1024 * 1024;

    // Above this rate one connection is bound by this machine rather than by the network.
    private const double FastEnough = 64.0 * 1024 * 1024;
    private const double WorthAnother = 1.1;

    // All blobs of the process together: what is ahead of its reader.
    private static readonly SemaphoreSlim s_chunks = new(32, 32);

    private readonly TimeProvider _time = repository.Options.Time;
    private readonly BlobOrigin _origin = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<Task<Chunk>> _ahead = new();
    private long _judgedAt = head.Position;
    private long _judgeAt = head.Position + FirstJudgedAfter;
    private TimeSpan _judgedWaited = head.Waited;
    private BlobStream? _head = head;
    private bool _alone;
    private Chunk? _current;
    private long _next;
    private int _connections;
    private double _best;
    private long _roundStarted;
    private long _roundBytes;
    private int _roundChunks;
    private bool _settled;

    public override string? Origin => _head is null ? _origin.Endpoint : _head.Origin;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_head is not null)
        {
            var count = await _head.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            Judge();
            if (count > 0 || _alone || _connections == 0)
            {
                return count;
            }

            _origin.Add(_head.Origin);
            await _head.DisposeAsync().ConfigureAwait(false);
            _head = null;
        }

        if (_current is null or { Left: 0 } && !await NextAsync(cancellationToken).ConfigureAwait(false))
        {
            return 0;
        }

        return _current!.Read(buffer.Span);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(Span<byte> buffer) => throw new NotSupportedException("Read asynchronously.");

    public override async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_head is not null)
        {
            await _head.DisposeAsync().ConfigureAwait(false);
        }

        _current?.Dispose();
        while (_ahead.TryDequeue(out var chunk))
        {
            try
            {
                (await chunk.ConfigureAwait(false)).Dispose();
            }
            catch (Exception)
            {
                // Nobody reads it any more: why it failed does not matter.
            }
        }

        _stop.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    // Is one connection enough?
    private void Judge()
    {
        if (_alone || _connections > 0 || _head!.Position < _judgeAt)
        {
            return;
        }

        var rate = (_head.Position - _judgedAt) / Math.Max((_head.Waited - _judgedWaited).TotalSeconds, 1e-6);
        (_judgedAt, _judgedWaited, _judgeAt) = (_head.Position, _head.Waited, _head.Position + JudgedEach);
        _alone = !_head.ServesRanges || blob.Size - _head.Position < 2 * ChunkBytes;
        if (_alone || rate > FastEnough)
        {
            return;
        }

        _best = rate;
        _next = _head.Position + ChunkBytes;
        _head.EndAt(_next);
        _connections = FirstConnections;
        (_roundStarted, _roundBytes, _roundChunks) = (_time.GetTimestamp(), 0, 0);
        Fill();
    }

    private void Fill()
    {
        // Without a place in memory there is always at least the chunk that is read next.
        while (_next < blob.Size && _ahead.Count < _connections)
        {
            var counted = s_chunks.Wait(0, CancellationToken.None);
            if (!counted && _ahead.Count > 0)
            {
                return;
            }

            var length = (int)Math.Min(ChunkBytes, blob.Size - _next);
            _ahead.Enqueue(FetchAsync(_next, length, counted));
            _next += length;
        }
    }

    private async Task<bool> NextAsync(CancellationToken cancellationToken)
    {
        _current?.Dispose();
        _current = null;
        Fill();
        if (!_ahead.TryPeek(out var first))
        {
            return false;
        }

        _current = await first.WaitAsync(cancellationToken).ConfigureAwait(false);
        _ = _ahead.Dequeue();
        _origin.Add(_current.Origin);
        Count(_current.Left);
        Fill();
        return true;
    }

    // A round is one chunk for each connection; it tells whether the last connection was worth its while.
    private void Count(int bytes)
    {
        _roundBytes += bytes;
        if (++_roundChunks < _connections)
        {
            return;
        }

        var rate = _roundBytes / Math.Max(_time.GetElapsedTime(_roundStarted).TotalSeconds, 1e-6);
        if (!_settled)
        {
            _settled = rate < _best * WorthAnother || _connections == MaxConnections;
            _best = Math.Max(_best, rate);
            _connections = Math.Min(MaxConnections, _connections + (_settled ? 0 : 2));
        }

        (_roundStarted, _roundBytes, _roundChunks) = (_time.GetTimestamp(), 0, 0);
    }

    private async Task<Chunk> FetchAsync(long from, int length, bool counted)
    {
        await Task.Yield();
        var chunk = new Chunk(ArrayPool<byte>.Shared.Rent(length), length, counted ? s_chunks : null);
        try
        {
            var source = new BlobStream(repository, blob, from, from + length) { IsPart = true };
            await using var opened = source.ConfigureAwait(false);
            for (var filled = 0; filled < length;)
            {
                var count = await source.ReadAsync(chunk.Memory(filled), _stop.Token).ConfigureAwait(false);
                filled += count > 0 ? count : throw new EndOfStreamException();
            }

            chunk.Origin = source.Origin;
            return chunk;
        }
        catch
        {
            chunk.Dispose();
            throw;
        }
    }

    /// <summary>Some bytes that are ahead of the reader.</summary>
    private sealed class Chunk(byte[] bytes, int length, SemaphoreSlim? place) : IDisposable
    {
        private byte[]? _bytes = bytes;
        private int _read;

        public string? Origin { get; set; }

        public int Left => length - _read;

        public Memory<byte> Memory(int from) => _bytes.AsMemory(from, length - from);

        public int Read(Span<byte> target)
        {
            var count = Math.Min(target.Length, Left);
            _bytes.AsSpan(_read, count).CopyTo(target);
            _read += count;
            return count;
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _bytes, null) is { } rented)
            {
                ArrayPool<byte>.Shared.Return(rented);
                place?.Release();
            }
        }
    }
}
