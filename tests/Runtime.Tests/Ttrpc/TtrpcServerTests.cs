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
    public void Serve_AnyBytes_EndWithTheConnection() =>
        Gen.Byte.Array[0, 200].Sample(
            bytes =>
            {
                using var connection = new Replay(bytes);
                var serving = Server().ServeAsync(connection, CancellationToken.None);
                var failure = Record.Exception(() => serving.WaitAsync(s_patience).GetAwaiter().GetResult());
                return failure is null or EndOfStreamException;
            },
            iter: 2000);

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

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
    }
}
