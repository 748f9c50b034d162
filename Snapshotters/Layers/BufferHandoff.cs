namespace ImageStore.Snapshotters.Layers;

/// <summary>A ring of buffers between one thread that fills and one that consumes.</summary>
/// <remarks>
/// Both sides sleep when they have to wait: BlockingCollection spins first, and its yields cost as much as the
/// inflating on a machine of two cores.
/// </remarks>
internal sealed class BufferHandoff : IDisposable
{
    private readonly object _gate = new();
    private readonly byte[][] _buffers;
    private readonly int[] _lengths;
    private readonly CancellationToken _cancellationToken;
    private readonly CancellationTokenRegistration _wake;
    private long _filled;
    private long _consumed;
    private bool _completed;

    public BufferHandoff(int count, int bytes, CancellationToken cancellationToken)
    {
        _buffers = [.. Enumerable.Range(0, count).Select(_ => new byte[bytes])];
        _lengths = new int[count];
        _cancellationToken = cancellationToken;
        _wake = cancellationToken.UnsafeRegister(static self => ((BufferHandoff)self!).Wake(), this);
    }

    /// <summary>The next buffer to fill; waits for one.</summary>
    public byte[] ToFill()
    {
        lock (_gate)
        {
            while (_filled - _consumed == _buffers.Length)
            {
                Wait();
            }

            return _buffers[_filled % _buffers.Length];
        }
    }

    /// <summary>Hands over the first <paramref name="length"/> bytes of the buffer that <see cref="ToFill"/> gave.</summary>
    public void Filled(int length)
    {
        lock (_gate)
        {
            _lengths[_filled % _buffers.Length] = length;
            _filled++;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Nothing more will be filled.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The oldest filled bytes, which stay valid until <see cref="Consumed"/>; empty at the end.</summary>
    public ArraySegment<byte> ToConsume()
    {
        lock (_gate)
        {
            while (_consumed == _filled)
            {
                if (_completed)
                {
                    return ArraySegment<byte>.Empty;
                }

                Wait();
            }

            var slot = _consumed % _buffers.Length;
            return new ArraySegment<byte>(_buffers[slot], 0, _lengths[slot]);
        }
    }

    /// <summary>Gives back what <see cref="ToConsume"/> gave.</summary>
    public void Consumed()
    {
        lock (_gate)
        {
            _consumed++;
            Monitor.PulseAll(_gate);
        }
    }

    public void Dispose() => _wake.Dispose();

    private void Wait()
    {
        _cancellationToken.ThrowIfCancellationRequested();
        Monitor.Wait(_gate);
    }

    private void Wake()
    {
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }
    }
}
