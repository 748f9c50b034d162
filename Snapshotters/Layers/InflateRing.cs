using System.Security.Cryptography;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Inflates on a thread of its own into few buffers; the caller's thread hashes and consumes them.</summary>
/// <remarks>Dispose waits for the thread: a source that blocks for ever has to end when its owner cancels.</remarks>
internal sealed class InflateRing : IDisposable
{
    private const int Buffers = 4;
    private const int BufferBytes = 256 * 1024;
    private const int FilledBytes = BufferBytes / 2;
    private readonly BufferHandoff _handoff;
    private readonly IncrementalHash _hash = Digest.CreateHash(DigestAlgorithm.Sha256);
    private readonly CancellationTokenSource _stop;
    private readonly Thread _thread;
    private readonly Action<long>? _onBytes;
    private readonly long _limit;
    private Exception? _failure;
    private ArraySegment<byte> _current = ArraySegment<byte>.Empty;
    private int _at;
    private long _total;

    public InflateRing(Stream compressed, LayerCompression compression, long limit, Action<long>? onBytes, CancellationToken cancellationToken)
    {
        _limit = limit;
        _onBytes = onBytes;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _handoff = new BufferHandoff(Buffers, BufferBytes, _stop.Token);
        _thread = new Thread(() => Inflate(compressed, compression)) { IsBackground = true, Name = "layer-inflate" };
        _thread.Start();
    }

    /// <summary>The bytes at hand, at most <paramref name="max"/>; empty at the end. Consumed by this call.</summary>
    public ReadOnlySpan<byte> Take(long max)
    {
        if (_at == _current.Count && !Next())
        {
            return [];
        }

        var span = _current.AsSpan(_at, (int)Math.Min(max, _current.Count - _at));
        _at += span.Length;
        return span;
    }

    /// <summary>Fills <paramref name="target"/>; false at a clean end, an error in the middle.</summary>
    public bool Fill(Span<byte> target)
    {
        for (var done = 0; done < target.Length;)
        {
            var part = Take(target.Length - done);
            if (part.IsEmpty)
            {
                return done == 0 ? false : throw LayerFault.Corrupt("the tar ends in the middle of an entry.");
            }

            part.CopyTo(target[done..]);
            done += part.Length;
        }

        return true;
    }

    public void Skip(long count)
    {
        while (count > 0)
        {
            var part = Take(count);
            count -= part.IsEmpty ? throw LayerFault.Corrupt("the tar ends in the middle of an entry.") : part.Length;
        }
    }

    /// <summary>Skips what fills up a block; some writers, umoci among them, leave it out after the last entry.</summary>
    public void SkipPadding(long count)
    {
        while (count > 0 && Take(count) is { IsEmpty: false } part)
        {
            count -= part.Length;
        }
    }

    /// <summary>Reads what follows the archive, so that the hash covers it all.</summary>
    public Digest Finish()
    {
        while (!Take(int.MaxValue).IsEmpty)
        {
        }

        return Digest.FromHash(DigestAlgorithm.Sha256, _hash.GetHashAndReset());
    }

    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _handoff.Dispose();
        _stop.Dispose();
        _hash.Dispose();
    }

    private bool Next()
    {
        if (_current.Count > 0)
        {
            _handoff.Consumed();
        }

        _at = 0;
        _current = _handoff.ToConsume();
        if (_current.Count == 0)
        {
            return _failure is null ? false : throw Translate(_failure);
        }

        _hash.AppendData(_current);
        _total += _current.Count;
        if (_total > _limit)
        {
            throw LayerFault.Limit("bytes of the unpacked stream", _limit, LayerLimits.Keys.UnpackedBytes);
        }

        _onBytes?.Invoke(_total);
        return true;
    }

    private static Exception Translate(Exception failure) => failure switch
    {
        InvalidDataException or EndOfStreamException or ZstdSharp.ZstdException =>
            LayerFault.Corrupt("its compressed stream is damaged or truncated.", failure),
        ImageStoreException known => new ImageStoreException(known.Kind, known.Message, known.Remedy, known),
        OperationCanceledException => failure,
        _ => new ImageStoreException(ErrorKind.Unavailable, "The layer's bytes could not be read.", null, failure),
    };

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1031", Justification = "Rethrown on the consuming thread.")]
    private void Inflate(Stream compressed, LayerCompression compression)
    {
        try
        {
            using var stream = LayerDecompressor.Open(new LeaveOpen(compressed), compression);
            while (true)
            {
                // A decompressor gives what one small read of its input yields; whole buffers cost fewer wake-ups.
                var read = stream.ReadAtLeast(_handoff.ToFill(), FilledBytes, throwOnEndOfStream: false);
                if (read == 0)
                {
                    break;
                }

                _handoff.Filled(read);
            }
        }
        catch (Exception e)
        {
            _failure = e;
        }

        _handoff.Complete();
    }

    private sealed class LeaveOpen(Stream inner) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer) => inner.Read(buffer);
    }
}
