using Google.Protobuf;
using ImageStore.Runtime.Protocol.Rpc;

namespace ImageStore.Runtime.Ttrpc;

/// <summary>Serves unary calls over connections: <see href="https://github.com/containerd/ttrpc/blob/main/PROTOCOL.md">PROTOCOL.md</see>.</summary>
/// <remarks>
/// Calls of one connection run at the same time, each until it first waits in the order in which they came. What a connection asks is
/// cancelled with it, by one of the two tokens that a handler has. Streams are not served: a call that begins one is answered with
/// <see cref="RpcCode.Unimplemented"/>.
/// </remarks>
/// <param name="handler">Answers.</param>
/// <param name="time">By which deadlines pass.</param>
internal sealed class TtrpcServer(RpcHandler handler, TimeProvider time)
{
    private const int NanosecondsPerTick = 100;

    /// <summary>Serves one connection until the other end closes it.</summary>
    /// <exception cref="IOException">It broke.</exception>
    public async Task ServeAsync(Stream connection, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var writer = new FrameWriter(connection);
        try
        {
            await ReadAllAsync(new FrameReader(connection), writer, ending.Token).ConfigureAwait(false);
        }
        finally
        {
            // In the shim nothing leaves its thread, which what CancelAsync begins does.
            ending.Cancel();
        }
    }

    private async Task ReadAllAsync(FrameReader reader, FrameWriter writer, CancellationToken ending)
    {
        var calls = new CallCount();
        uint last = 0;
        while (await reader.ReadAsync(ending).ConfigureAwait(false) is { } frame)
        {
            var stream = frame.Header.Stream;
            if (Refusal(frame, last, calls) is { } refusal)
            {
                await writer.SendAsync(stream, FrameType.Response, new Response { Status = refusal }, ending).ConfigureAwait(false);
            }
            else if (frame.Header.Type == FrameType.Request)
            {
                calls.Enter();
                _ = AnswerAsync(frame, writer, calls, ending);
            }

            if (frame.Header.Type == FrameType.Request && stream % 2 == 1)
            {
                last = Math.Max(last, stream);
            }

            await writer.RoomAsync().ConfigureAwait(false);
        }
    }

    // A type that nobody knows is passed over, so that the protocol can grow.
    private static Status? Refusal(Frame frame, uint last, CallCount calls) => frame switch
    {
        { IsOversized: true } => RpcErrors.StatusOf(
            RpcCode.ResourceExhausted, $"A message of {frame.Header.Length} bytes is over the limit of {TtrpcLimits.MessageBytes}."),
        _ when frame.Header.Stream % 2 == 0 => RpcErrors.StatusOf(RpcCode.InvalidArgument, "A client's streams have odd numbers."),
        { Header.Type: FrameType.Data } => RpcErrors.StatusOf(RpcCode.InvalidArgument, "No stream of this number takes data."),
        { Header.Type: not FrameType.Request } => null,
        _ when frame.Header.Stream <= last => RpcErrors.StatusOf(RpcCode.InvalidArgument, "The numbers of a client's streams grow."),
        { Header.Flags: not FrameFlags.None } => RpcErrors.StatusOf(RpcCode.Unimplemented, "Streams are not served."),
        _ when calls.IsFull => RpcErrors.StatusOf(
            RpcCode.ResourceExhausted, $"{TtrpcLimits.CallsAtOnce} calls are under way on this connection already."),
        _ => null,
    };

    private async Task AnswerAsync(Frame frame, FrameWriter writer, CallCount calls, CancellationToken ending)
    {
        try
        {
            var response = await ResponseAsync(frame.Message, ending).ConfigureAwait(false);
            await SendAsync(frame.Header.Stream, response, writer, ending).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // The reader learns of it too, and ends the connection.
        }
        finally
        {
            calls.Leave();
        }
    }

    private static async Task SendAsync(uint stream, Response response, FrameWriter writer, CancellationToken ending)
    {
        try
        {
            await writer.SendAsync(stream, FrameType.Response, response, ending).ConfigureAwait(false);
        }
        catch (RpcException tooLong)
        {
            await writer.SendAsync(stream, FrameType.Response, new Response { Status = RpcErrors.StatusOf(tooLong) }, ending).ConfigureAwait(false);
        }
    }

    private async Task<Response> ResponseAsync(byte[] message, CancellationToken ending)
    {
        CancellationTokenSource? deadline = null;
        try
        {
            var request = Request.Parser.ParseFrom(message);
            if (request.Metadata.Count > TtrpcLimits.MetadataEntries)
            {
                throw new RpcException(RpcCode.ResourceExhausted, $"A call has at most {TtrpcLimits.MetadataEntries} headers.");
            }

            if (request.TimeoutNano != 0)
            {
                deadline = new CancellationTokenSource(Timeout(request.TimeoutNano), time);
            }

            var late = deadline?.Token ?? CancellationToken.None;
            using var both = CancellationTokenSource.CreateLinkedTokenSource(ending, late);
            var answer = await handler(CallOf(request, late), both.Token).ConfigureAwait(false);
            return new Response { Payload = answer.ToByteString() };
        }
        catch (OperationCanceledException) when (deadline?.IsCancellationRequested == true)
        {
            return new Response { Status = RpcErrors.StatusOf(RpcCode.DeadlineExceeded, "The call's deadline has passed.") };
        }
        catch (Exception failure)
        {
            return new Response { Status = RpcErrors.StatusOf(failure) };
        }
        finally
        {
            deadline?.Dispose();
        }
    }

    // A deadline that has passed already is one; further ahead than a timer goes is none.
    private static TimeSpan Timeout(long nanoseconds) =>
        TimeSpan.FromTicks(Math.Clamp(nanoseconds / NanosecondsPerTick, 0, TimeSpan.FromDays(40).Ticks));

    private static RpcCall CallOf(Request request, CancellationToken deadline)
    {
        var metadata = new Dictionary<string, string>(request.Metadata.Count, StringComparer.Ordinal);
        foreach (var entry in request.Metadata)
        {
            metadata.TryAdd(entry.Key, entry.Value);
        }

        return new RpcCall(request.Service, request.Method, request.Payload, metadata, deadline);
    }

    private sealed class CallCount
    {
        private int _count;

        public bool IsFull => Volatile.Read(ref _count) >= TtrpcLimits.CallsAtOnce;

        public void Enter() => Interlocked.Increment(ref _count);

        public void Leave() => Interlocked.Decrement(ref _count);
    }
}
