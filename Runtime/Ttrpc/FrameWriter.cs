using Google.Protobuf;

namespace ImageStore.Runtime.Ttrpc;

/// <summary>Writes frames to a connection, one after the other, whoever sends them.</summary>
/// <remarks>Whoever sends first writes for all that send meanwhile; so nobody waits for a lock while the other end is slow.</remarks>
internal sealed class FrameWriter(Stream connection)
{
    private readonly Lock _lock = new();
    private readonly Queue<byte[]> _waiting = [];
    private long _bytes;
    private bool _isWriting;
    private Exception? _failure;
    private TaskCompletionSource? _room;

    /// <summary>Sends a message; it is written when this returns, or will be by whoever writes already.</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    /// <exception cref="RpcException">The message is over the limit; nothing is sent.</exception>
    public async Task SendAsync(uint stream, FrameType type, IMessage message, CancellationToken cancellation)
    {
        var size = message.CalculateSize();
        if (size > TtrpcLimits.MessageBytes)
        {
            throw new RpcException(RpcCode.ResourceExhausted, $"A message of {size} bytes is over ttrpc's limit of {TtrpcLimits.MessageBytes}.");
        }

        var frame = new byte[FrameHeader.Size + size];
        new FrameHeader((uint)size, stream, type, FrameFlags.None).Write(frame);
        message.WriteTo(frame.AsSpan(FrameHeader.Size));
        lock (_lock)
        {
            if (_failure is not null)
            {
                throw new IOException("The connection is broken.", _failure);
            }

            _waiting.Enqueue(frame);
            _bytes += frame.Length;
            if (_isWriting)
            {
                return;
            }

            _isWriting = true;
        }

        await WriteAllAsync(cancellation).ConfigureAwait(false);
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

    private async Task WriteAllAsync(CancellationToken cancellation)
    {
        while (true)
        {
            byte[] frame;
            lock (_lock)
            {
                if (!_waiting.TryDequeue(out frame!))
                {
                    _isWriting = false;
                    return;
                }
            }

            try
            {
                await connection.WriteAsync(frame, cancellation).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                Fail(failure);
                throw;
            }

            TaskCompletionSource? room = null;
            lock (_lock)
            {
                _bytes -= frame.Length;
                if (_bytes < TtrpcLimits.WaitingBytes)
                {
                    (room, _room) = (_room, null);
                }
            }

            room?.TrySetResult();
        }
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
