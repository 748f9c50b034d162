using Google.Protobuf;
using ImageStore.Runtime.Protocol.Rpc;

namespace ImageStore.Runtime.Ttrpc;

/// <summary>Makes unary calls over a connection, any number of them at a time and from any thread.</summary>
/// <remarks>
/// It owns the connection. When that ends, so does every call with <see cref="RpcCode.Unavailable"/>, and <see cref="Closed"/>. A server
/// that has not even taken a call when its time is over is given up with all the others: what was sent in part cannot be taken back.
/// </remarks>
internal sealed class TtrpcClient : IAsyncDisposable
{
    private const int StreamStep = 2;
    private const int NanosecondsPerTick = 100;

    private readonly Stream _connection;
    private readonly TimeProvider _time;
    private readonly FrameWriter _writer;
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, Call> _calls = [];
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _reading;
    private uint _next = 1;
    private bool _isClosed;

    /// <summary>Begins on an open connection.</summary>
    /// <param name="connection">To a server.</param>
    /// <param name="time">By which deadlines pass.</param>
    public TtrpcClient(Stream connection, TimeProvider time)
    {
        _connection = connection;
        _time = time;
        _writer = new FrameWriter(connection);
        _reading = ReadAllAsync();
    }

    /// <summary>Ends when the connection has ended, whoever ended it.</summary>
    public Task Closed => _reading;

    /// <summary>Makes a call.</summary>
    /// <param name="service">With its package.</param>
    /// <param name="method">The method alone.</param>
    /// <param name="request">What it takes.</param>
    /// <param name="answer">Reads what it gives.</param>
    /// <param name="metadata">Headers.</param>
    /// <param name="timeout">How long it may take, which the server is told; <see cref="Timeout.InfiniteTimeSpan"/> for no end.</param>
    /// <param name="cancellation">Stops waiting; the server is not told.</param>
    /// <exception cref="RpcException">The server's error, <see cref="RpcCode.DeadlineExceeded"/>, or <see cref="RpcCode.Unavailable"/>.</exception>
    public async Task<T> CallAsync<T>(
        string service, string method, IMessage request, MessageParser<T> answer, IEnumerable<KeyValuePair<string, string>> metadata,
        TimeSpan timeout, CancellationToken cancellation)
        where T : IMessage<T>
    {
        var frame = OutgoingFrame.Of(FrameType.Request, new Request
        {
            Service = service,
            Method = method,
            Payload = request.ToByteString(),
            TimeoutNano = timeout == Timeout.InfiniteTimeSpan ? 0 : Math.Max(timeout.Ticks, 1) * NanosecondsPerTick,
            Metadata = { metadata.Select(entry => new KeyValue { Key = entry.Key, Value = entry.Value }) },
        });
        var call = new Call();
        try
        {
            var got = await AnswerAsync(frame, call).WaitAsync(timeout, _time, cancellation).ConfigureAwait(false);
            return got.Status is { Code: not (int)RpcCode.Ok } status
                ? throw new RpcException((RpcCode)status.Code, status.Message)
                : answer.ParseFrom(got.Payload);
        }
        catch (TimeoutException late)
        {
            if (!frame.IsWritten)
            {
                await CloseAsync().ConfigureAwait(false);
            }

            throw new RpcException(RpcCode.DeadlineExceeded, $"{service}/{method} was not answered within {timeout}.", late);
        }
        catch (Exception broken) when (broken is IOException or ObjectDisposedException || (broken is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw Unavailable(broken);
        }
        catch (InvalidProtocolBufferException malformed)
        {
            throw new RpcException(RpcCode.Internal, $"The answer to {service}/{method} is no message of its type.", malformed);
        }
        finally
        {
            Leave(call);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
    }

    private static RpcException Unavailable(Exception? cause) => new(RpcCode.Unavailable, "The connection is closed.", cause);

    // Calls may be under way still and look at the token, so that its source is left to the collector.
    private async ValueTask CloseAsync()
    {
        _ending.Cancel();
        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<Response> AnswerAsync(OutgoingFrame frame, Call call)
    {
        while (!_writer.TryBegin(frame, () => Enter(call)))
        {
            await _writer.RoomAsync().ConfigureAwait(false);
        }

        _ = WriteAsync();
        return await call.Response.Task.ConfigureAwait(false);
    }

    private async Task WriteAsync()
    {
        try
        {
            await _writer.WriteAsync(_ending.Token).ConfigureAwait(false);
        }
        catch (Exception broken) when (broken is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // What could not be sent is not answered either.
            await CloseAsync().ConfigureAwait(false);
        }
    }

    // Within the writer's lock: numbers have to grow on the wire, whichever thread comes first.
    private uint Enter(Call call)
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                throw Unavailable(null);
            }

            if (call.IsLeft)
            {
                throw new OperationCanceledException("Nobody waits for the answer any more.");
            }

            if (_calls.Count >= TtrpcLimits.CallsAtOnce)
            {
                throw new RpcException(RpcCode.ResourceExhausted, $"{TtrpcLimits.CallsAtOnce} calls are under way on this connection already.");
            }

            call.Stream = _next;
            _next += StreamStep;
            _calls.Add(call.Stream, call);
            return call.Stream;
        }
    }

    private void Leave(Call call)
    {
        lock (_lock)
        {
            call.IsLeft = true;
            _calls.Remove(call.Stream);
        }
    }

    private async Task ReadAllAsync()
    {
        Exception? failure = null;
        try
        {
            var reader = new FrameReader(_connection);
            while (await reader.ReadAsync(_ending.Token).ConfigureAwait(false) is { } frame)
            {
                Take(frame);
            }
        }
        catch (Exception broken) when (broken is IOException or OperationCanceledException or ObjectDisposedException)
        {
            failure = broken;
        }

        List<Call> waiting;
        lock (_lock)
        {
            _isClosed = true;
            waiting = [.. _calls.Values];
        }

        foreach (var call in waiting)
        {
            call.Response.TrySetException(Unavailable(failure));
        }
    }

    // An answer to a call that nobody waits for any more, and whatever is no answer, is passed over.
    private void Take(Frame frame)
    {
        Call? call;
        lock (_lock)
        {
            if (frame.Header.Type != FrameType.Response || !_calls.TryGetValue(frame.Header.Stream, out call))
            {
                return;
            }
        }

        if (frame.IsOversized)
        {
            call.Response.TrySetException(new RpcException(RpcCode.ResourceExhausted, "The answer is over ttrpc's limit."));
            return;
        }

        try
        {
            call.Response.TrySetResult(Response.Parser.ParseFrom(frame.Message));
        }
        catch (InvalidProtocolBufferException malformed)
        {
            call.Response.TrySetException(new RpcException(RpcCode.Internal, "The server's answer is no ttrpc response.", malformed));
        }
    }

    /// <summary>A call under way.</summary>
    private sealed class Call
    {
        public TaskCompletionSource<Response> Response { get; } = new();

        /// <summary>0 before it is sent, which no call's is.</summary>
        public uint Stream { get; set; }

        /// <summary>Does nobody wait for it any more?</summary>
        public bool IsLeft { get; set; }
    }
}
