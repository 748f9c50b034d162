using ImageStore.Store.Errors;

namespace ImageStore.Store.Metadata;

/// <summary>LiteDB's log: the frames of this opening, which follow those that were there.</summary>
/// <remarks>
/// LiteDB writes from a thread of its own, and would hang or hide it when that fails. So writing never fails here: the
/// failure is kept, nothing more is written, and <see cref="Settle"/> tells.
/// </remarks>
internal sealed class LogStream(PageLog log) : PositionedStream
{
    private readonly object _gate = new();
    private readonly int _before = log.Count;
    private long _length;

    public override long Length
    {
        get
        {
            lock (_gate)
            {
                return _length;
            }
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        lock (_gate)
        {
            if (buffer.Length != PageBytes || Position != _length)
            {
                Keep(new InvalidOperationException("The metadata log takes whole pages, in order."));
            }

            try
            {
                if (Failure is null)
                {
                    log.Append(buffer);
                }
            }
            catch (Exception failure)
            {
                Keep(failure);
            }

            _length += buffer.Length;
            Position += buffer.Length;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until all that LiteDB has queued is in the log's file.</summary>
    /// <param name="tail">The low 32 bits of the length that LiteDB's log will have: it tells no more.</param>
    /// <param name="limit">How long the queue may take.</param>
    /// <exception cref="ImageStoreException">It has not in time (<see cref="ErrorKind.Unavailable"/>).</exception>
    public void Settle(int tail, TimeSpan limit)
    {
        lock (_gate)
        {
            var length = LengthOf(_length, tail);
            while (_length < length && Failure is null)
            {
                if (!Monitor.Wait(_gate, limit))
                {
                    throw new ImageStoreException(
                        ErrorKind.Unavailable, "The metadata log was not written in time.", "Check the disk, then repeat the command.");
                }
            }

            if (Failure is { } failure)
            {
                throw failure;
            }

            if (!log.IsConfirmed)
            {
                throw new InvalidOperationException("LiteDB left a transaction without its end.");
            }
        }
    }

    /// <summary>The first length from <paramref name="written"/> on whose low 32 bits are <paramref name="tail"/>.</summary>
    internal static long LengthOf(long written, int tail) => written + unchecked((uint)tail - (uint)written);

    protected override void ReadPage(long page, Span<byte> buffer)
    {
        lock (_gate)
        {
            log.Read(_before + checked((int)page), buffer);
        }
    }
}
