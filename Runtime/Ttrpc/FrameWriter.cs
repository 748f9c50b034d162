using Google.Protobuf;

namespace ImageStore.Runtime.Ttrpc;

/// <summary>Writes frames to a connection, one after the other, whoever sends them.</summary>
/// <remarks>Whoever writes first writes for all that send meanwhile; so nobody waits for a lock while the other end is slow.</remarks>
internal sealed class FrameWriter(Stream connection)
{
    private readonly Lock _lock = new();
    private readonly Queue<OutgoingFrame> _waiting = [];
    private long _bytes;
    private bool _isWriting;
    private Exception? _failure;
    private TaskCompletionSource? _room;

    /// <summary>Sends a message on a stream of the other end's; it is written when this returns, or will be by whoever writes already.</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    /// <exception cref="RpcException">The message is over the limit; nothing is sent.</exception>
    public Task SendAsync(uint stream, FrameType type, IMessage message, CancellationToken cancellation)
    {
        var frame = OutgoingFrame.Of(type, message);
        frame.SetStream(stream);
        lock (_lock)
        {
            Enter(frame);
        }

        return WriteAsync(cancellation);
    }

    /// <summary>Has a message that begins a stream wait to be written; false where too much waits already (<see cref="RoomAsync"/>).</summary>
    /// <param name="frame">The message.</param>
    /// <param name="next">Gives the stream its number: one after the other, in the order in which they are sent.</param>
    /// <exception cref="IOException">The connection is broken.</exception>
    public bool TryBegin(OutgoingFrame frame, Func<uint> next)
    {
        lock (_lock)
        {
            if (_failure is null && _bytes >= TtrpcLimits.WaitingBytes)
            {
                return false;
            }

            ThrowIfBroken();
            frame.SetStream(next());
            Enter(frame);
            return true;
        }
    }

    /// <summary>Writes all that waits, unless somebody does.</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    public async Task WriteAsync(CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (_isWriting)
            {
                return;
            }

            _isWriting = true;
        }

        while (TryTake() is { } frame)
        {
            try
            {
                await connection.WriteAsync(frame.Bytes, cancellation).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                Fail(failure);
                throw;
            }

            Leave(frame);
        }
    }

    /// <summary>Waits until what waits to be written is below the limit, or can never be written.</summary>
    public Task RoomAsync()
    {
        lock (_lock)
        {
            if (_bytes < TtrpcLimits.WaitingBytes || _failure is not null)
            {
                return Task.CompletedTask;
            }

            return (_room ??= new TaskCompletionSource()).Task;
        }
    }

    private void ThrowIfBroken()
    {
        if (_failure is not null)
        {
            throw new IOException("The connection is broken.", _failure);
        }
    }

    private void Enter(OutgoingFrame frame)
    {
        ThrowIfBroken();
        _waiting.Enqueue(frame);
        _bytes += frame.Bytes.Length;
    }

    private OutgoingFrame? TryTake()
    {
        lock (_lock)
        {
            _isWriting = _waiting.TryDequeue(out var frame);
            return frame;
        }
    }

    private void Leave(OutgoingFrame frame)
    {
        TaskCompletionSource? room = null;
        lock (_lock)
        {
            frame.SetWritten();
            _bytes -= frame.Bytes.Length;
            if (_bytes < TtrpcLimits.WaitingBytes)
            {
                (room, _room) = (_room, null);
            }
        }

        room?.TrySetResult();
    }

    private void Fail(Exception failure)
    {
        TaskCompletionSource? room;
        lock (_lock)
        {
            _failure = failure;
            _waiting.Clear();
            (room, _room) = (_room, null);
        }

        room?.TrySetResult();
    }
}
