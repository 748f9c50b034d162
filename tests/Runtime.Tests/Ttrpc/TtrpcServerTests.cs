using CsCheck;
using Google.Protobuf;
using ImageStore.Runtime.Protocol.Rpc;
using ImageStore.Runtime.Tests.Support;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Store.Errors;
using Microsoft.Extensions.Time.Testing;

namespace ImageStore.Runtime.Tests.Ttrpc;

public sealed class TtrpcServerTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    // Lengths that are right and that are not, streams of both kinds, and messages that are requests but for a byte.
    private static readonly Gen<byte[]> s_requests = Gen.Select(
        Of("Echo", "Known", "Ours", "Defect", "None"), Gen.String[0, 8], Gen.Long, Gen.Byte, Gen.Int[0, 40],
        (method, text, timeout, wrong, at) =>
        {
            var request = new Request
            {
                Service = "echo", Method = method, Payload = new KeyValue { Value = text }.ToByteString(), TimeoutNano = timeout,
            }.ToByteArray();
            if (at < request.Length)
            {
                request[at] = wrong;
            }

            return request;
        });

    private static readonly Gen<byte[]> s_frames = Gen.Select(
        Gen.UInt[0, 9], Of<byte>(1, 1, 1, 2, 3, 200), Of<byte>(0, 0, 0, 1, 2, 4), Gen.OneOf(s_requests, Gen.Byte.Array[0, 20]),
        Gen.Int[-3, 3].Where(difference => difference is 0 or -3 or 3),
        (stream, type, flags, message, difference) =>
            Frames.Of(stream, (FrameType)type, message, (FrameFlags)flags, (uint)Math.Max(0, message.Length + difference)));

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Serve_UnaryCalls_AreAnsweredOnTheirStreams()
    {
        await using var pair = SocketPair.Open();
        var serving = Serve(pair);
        await pair.Client.WriteAsync(Frames.Call(1, "Echo", "one"));
        await pair.Client.WriteAsync(Frames.Call(3, "Echo", "two"));
        var first = await Frames.ReadAsync(pair.Client);
        var second = await Frames.ReadAsync(pair.Client);
        Assert.Equal([(1u, "one"), (3u, "two")], [(first.Stream, Frames.TextOf(first.Response)), (second.Stream, Frames.TextOf(second.Response))]);
        pair.Client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        await serving.WaitAsync(s_patience);
    }

    [Fact]
    public async Task Serve_ACallThatWaits_LetsOthersPass()
    {
        await using var pair = SocketPair.Open();
        _ = Serve(pair);
        await pair.Client.WriteAsync(Frames.Call(1, "Wait"));
        await pair.Client.WriteAsync(Frames.Call(3, "Echo", "passes"));
        Assert.Equal(3u, (await Frames.ReadAsync(pair.Client)).Stream);
    }

    [Fact]
    public async Task Serve_ADeadlineThatPasses_EndsTheCall()
    {
        await using var pair = SocketPair.Open();
        _ = Serve(pair);
        await pair.Client.WriteAsync(Frames.Call(1, "Wait", timeout: 5_000_000_000));
        await pair.Client.WriteAsync(Frames.Call(3, "Echo", "it has begun"));
        await Frames.ReadAsync(pair.Client);
        _time.Advance(TimeSpan.FromSeconds(6));
        var (stream, response) = await Frames.ReadAsync(pair.Client);
        Assert.Equal((1u, (int)RpcCode.DeadlineExceeded), (stream, response.Status.Code));
    }

    [Fact]
    public async Task Serve_TheClientGoes_CancelsItsCalls()
    {
        await using var pair = SocketPair.Open();
        var cancelled = new TaskCompletionSource();
        var server = new TtrpcServer(
            async (_, cancellation) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellation).ContinueWith(_ => cancelled.SetResult(), TaskScheduler.Default);
                return new KeyValue();
            },
            _time);
        var serving = server.ServeAsync(pair.Server, CancellationToken.None);
        await pair.Client.WriteAsync(Frames.Call(1, "Any"));
        await pair.Client.DisposeAsync();
        await serving.WaitAsync(s_patience);
        await cancelled.Task.WaitAsync(s_patience);
    }

    [Fact]
    public async Task Serve_TheClientGoes_LeavesTheDeadlineToPass()
    {
        await using var pair = SocketPair.Open();
        var (gone, late) = (new TaskCompletionSource(), new TaskCompletionSource());
        var server = new TtrpcServer(
            async (call, cancellation) =>
            {
                await using var onGone = cancellation.Register(gone.SetResult);
                await using var onLate = call.Deadline.Register(late.SetResult);
                await late.Task;
                return new KeyValue();
            },
            _time);
        var serving = server.ServeAsync(pair.Server, CancellationToken.None);
        await pair.Client.WriteAsync(Frames.Call(1, "Any", timeout: 5_000_000_000));
        await pair.Client.DisposeAsync();
        await serving.WaitAsync(s_patience);
        await gone.Task.WaitAsync(s_patience);
        Assert.False(late.Task.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(6));
        await late.Task.WaitAsync(s_patience);
    }

    [Theory]
    [InlineData("Known", (int)RpcCode.NotFound, "There is none.")]
    [InlineData("Ours", (int)RpcCode.FailedPrecondition, "Not now.")]
    [InlineData("Defect", (int)RpcCode.Internal, "A defect of ours (InvalidOperationException): oops")]
    public async Task Serve_AFailure_IsAStatus(string method, int code, string message)
    {
        await using var pair = SocketPair.Open();
        _ = Serve(pair);
        await pair.Client.WriteAsync(Frames.Call(1, method));
        var (_, response) = await Frames.ReadAsync(pair.Client);
        Assert.Equal((code, message), (response.Status.Code, response.Status.Message));
    }

    public static TheoryData<string, byte[], int> Hostile => new()
    {
        { "an even stream", Frames.Call(2, "Echo"), (int)RpcCode.InvalidArgument },
        { "data without a stream", Frames.Of(5, FrameType.Data, [1, 2]), (int)RpcCode.InvalidArgument },
        { "a stream that goes on", Frames.Of(1, FrameType.Request, [], FrameFlags.RemoteOpen), (int)RpcCode.Unimplemented },
        { "no request", Frames.Of(1, FrameType.Request, [0xff, 0xff, 0xff]), (int)RpcCode.InvalidArgument },
        { "too long", Frames.Of(1, FrameType.Request, new byte[TtrpcLimits.MessageBytes + 1]), (int)RpcCode.ResourceExhausted },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task Serve_AWrongFrame_IsRefusedAndTheNextUnderstood(string what, byte[] frame, int code)
    {
        await using var pair = SocketPair.Open();
        _ = Serve(pair);
        await pair.Client.WriteAsync(frame);
        var (stream, response) = await Frames.ReadAsync(pair.Client);
        Assert.Equal((what, FrameHeader.Read(frame).Stream, code), (what, stream, response.Status.Code));
        await pair.Client.WriteAsync(Frames.Call(99, "Echo", "still here"));
        Assert.Equal("still here", Frames.TextOf((await Frames.ReadAsync(pair.Client)).Response));
    }

    [Fact]
    public async Task Serve_AStreamThatWasUsed_IsRefused()
    {
        await using var pair = SocketPair.Open();
        _ = Serve(pair);
        await pair.Client.WriteAsync(Frames.Call(5, "Echo"));
        await Frames.ReadAsync(pair.Client);
        await pair.Client.WriteAsync(Frames.Call(3, "Echo"));
        Assert.Equal((int)RpcCode.InvalidArgument, (await Frames.ReadAsync(pair.Client)).Response.Status.Code);
    }

    [Fact]
    public async Task Serve_ATypeOfAnotherAge_IsPassedOver()
    {
        await using var pair = SocketPair.Open();
        _ = Serve(pair);
        await pair.Client.WriteAsync(Frames.Of(1, (FrameType)9, [1, 2, 3]));
        await pair.Client.WriteAsync(Frames.Call(1, "Echo", "after it"));
        Assert.Equal("after it", Frames.TextOf((await Frames.ReadAsync(pair.Client)).Response));
    }

    [Fact]
    public async Task Serve_AnAnswerOverTheLimit_IsAnError()
    {
        await using var pair = SocketPair.Open();
        _ = Serve(pair);
        await pair.Client.WriteAsync(Frames.Call(1, "Huge"));
        Assert.Equal((int)RpcCode.ResourceExhausted, (await Frames.ReadAsync(pair.Client)).Response.Status.Code);
    }

    [Fact]
    public async Task Serve_AClientThatNeverReads_IsNotReadFromForEver()
    {
        await using var pair = SocketPair.Open();
        _ = Serve(pair);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        var text = new string('x', 60_000);
        var sent = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            for (uint stream = 1; ; stream += 2, sent++)
            {
                await pair.Client.WriteAsync(Frames.Call(stream, "Echo", text), stop.Token);
            }
        });
        Assert.True(sent * 60_000L < 16 * TtrpcLimits.WaitingBytes, $"{sent} calls were read");
    }

    [Fact]
    public void Serve_AnyFrames_EndWithTheConnection()
    {
        var answered = 0;
        s_frames.Array[0, 8].Sample(
            frames =>
            {
                using var connection = new Replay(frames.SelectMany(frame => frame).ToArray());
                var serving = Server().ServeAsync(connection, CancellationToken.None);
                var failure = Record.Exception(() => serving.WaitAsync(s_patience).GetAwaiter().GetResult());
                Interlocked.Add(ref answered, connection.Written);
                return failure is null or EndOfStreamException;
            },
            iter: 5000);
        Assert.True(answered > 1000, $"only {answered} bytes were answered: what is sent reaches nothing");
    }

    private static Gen<T> Of<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(at => values[at]);

    private Task Serve(SocketPair pair) => Server().ServeAsync(pair.Server, CancellationToken.None);

    private TtrpcServer Server() => new(HandleAsync, _time);

    private static async Task<IMessage> HandleAsync(RpcCall call, CancellationToken cancellation)
    {
        switch (call.Method)
        {
            case "Wait":
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
                break;
            case "Known":
                throw new RpcException(RpcCode.NotFound, "There is none.");
            case "Ours":
                throw new ImageStoreException(ErrorKind.FailedPrecondition, "Not now.");
            case "Defect":
                throw new InvalidOperationException("oops");
            case "Huge":
                return new KeyValue { Value = new string('x', TtrpcLimits.MessageBytes) };
        }

        return KeyValue.Parser.ParseFrom(call.Message);
    }

    /// <summary>Gives bytes, then ends; takes what is written.</summary>
    private sealed class Replay(byte[] bytes) : MemoryStream(bytes, writable: false)
    {
        public override bool CanWrite => true;

        public int Written { get; private set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Written += buffer.Length;
            return ValueTask.CompletedTask;
        }
    }
}
