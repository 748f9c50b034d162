using Google.Protobuf;
using ImageStore.Runtime.Protocol.Rpc;
using ImageStore.Runtime.Tests.Support;
using ImageStore.Runtime.Ttrpc;
using Microsoft.Extensions.Time.Testing;

namespace ImageStore.Runtime.Tests.Ttrpc;

public sealed class TtrpcClientTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Call_OfAServer_GivesItsAnswerAndTellsItTheHeaders()
    {
        await using var pair = SocketPair.Open();
        RpcCall? seen = null;
        var server = new TtrpcServer(
            (call, _) =>
            {
                seen = call;
                return Task.FromResult<IMessage>(KeyValue.Parser.ParseFrom(call.Message));
            },
            _time);
        _ = server.ServeAsync(pair.Server, CancellationToken.None);
        await using var client = new TtrpcClient(pair.Client, _time);
        Assert.Equal("hello", (await CallAsync(client, "hello")).Value);
        Assert.Equal(("service", "Method", "mine"), (seen!.Service, seen.Method, seen.Metadata["containerd-namespace-ttrpc"]));
    }

    [Fact]
    public async Task Call_ManyAtOnce_EachGetsItsOwnAnswer()
    {
        await using var pair = SocketPair.Open();
        var server = new TtrpcServer(
            async (call, cancellation) =>
            {
                var asked = KeyValue.Parser.ParseFrom(call.Message);
                await Task.Delay(int.Parse(asked.Value) % 7, cancellation);
                return asked;
            },
            TimeProvider.System);
        _ = server.ServeAsync(pair.Server, CancellationToken.None);
        await using var client = new TtrpcClient(pair.Client, TimeProvider.System);
        var asked = Enumerable.Range(0, 200).Select(number => $"{number}").ToList();
        Assert.Equal(asked, (await Task.WhenAll(asked.Select(text => CallAsync(client, text)))).Select(answer => answer.Value));
    }

    [Fact]
    public async Task Call_AnError_IsThrownWithItsCode()
    {
        await using var pair = SocketPair.Open();
        _ = new TtrpcServer((_, _) => throw new RpcException(RpcCode.AlreadyExists, "It is there."), _time).ServeAsync(pair.Server, CancellationToken.None);
        await using var client = new TtrpcClient(pair.Client, _time);
        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(client, "x"));
        Assert.Equal((RpcCode.AlreadyExists, "It is there."), (failure.Code, failure.Message));
    }

    [Fact]
    public async Task Call_TheServerGoes_IsUnavailable()
    {
        await using var pair = SocketPair.Open();
        await using var client = new TtrpcClient(pair.Client, _time);
        var call = CallAsync(client, "x");
        await pair.Server.DisposeAsync();
        Assert.Equal(RpcCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => call)).Code);
        await client.Closed;
        Assert.Equal(RpcCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => CallAsync(client, "y"))).Code);
    }

    [Fact]
    public async Task Call_WithoutAnAnswerInTime_IsLate()
    {
        await using var pair = SocketPair.Open();
        await using var client = new TtrpcClient(pair.Client, _time);
        var call = CallAsync(client, "x");
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(RpcCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => call)).Code);
    }

    [Fact]
    public async Task Call_AnAnswerThatIsNone_IsAnError()
    {
        await using var pair = SocketPair.Open();
        await using var client = new TtrpcClient(pair.Client, _time);
        var call = CallAsync(client, "x");
        await pair.Server.WriteAsync(Frames.Of(77, FrameType.Response, []));
        await pair.Server.WriteAsync(Frames.Of(1, FrameType.Response, [0xff, 0xff]));
        Assert.Equal(RpcCode.Internal, (await Assert.ThrowsAsync<RpcException>(() => call)).Code);
    }

    [Fact]
    public async Task Call_FromManyThreads_AreSentInTheOrderOfTheirNumbers()
    {
        await using var pair = SocketPair.Open();
        var server = new TtrpcServer((call, _) => Task.FromResult<IMessage>(KeyValue.Parser.ParseFrom(call.Message)), TimeProvider.System);
        _ = server.ServeAsync(pair.Server, CancellationToken.None);
        await using var client = new TtrpcClient(pair.Client, TimeProvider.System);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(thread => Task.Factory.StartNew(
            () =>
            {
                // A server refuses numbers that do not grow.
                for (var number = 0; number < 300; number++)
                {
                    var text = $"{thread}.{number}";
                    Assert.Equal(text, CallAsync(client, text).WaitAsync(s_patience).GetAwaiter().GetResult().Value);
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))).WaitAsync(s_patience);
    }

    [Fact]
    public async Task Call_ToOneThatNeverReads_EndsInTimeAndWithItTheConnection()
    {
        await using var pair = SocketPair.Open();
        await using var client = new TtrpcClient(pair.Client, _time);
        var text = new string('x', 1 << 20);
        var calls = Enumerable.Range(0, 20).Select(_ => CallAsync(client, text)).ToList();
        Assert.DoesNotContain(calls, call => call.IsCompleted);
        _time.Advance(TimeSpan.FromMinutes(2));
        foreach (var call in calls)
        {
            var failure = await Assert.ThrowsAsync<RpcException>(() => call.WaitAsync(s_patience));
            Assert.True(failure.Code is RpcCode.DeadlineExceeded or RpcCode.Unavailable, failure.Message);
        }

        await client.Closed.WaitAsync(s_patience);
    }

    [Fact]
    public async Task Call_ToOneThatNeverReads_CanBeCancelled()
    {
        await using var pair = SocketPair.Open();
        await using var client = new TtrpcClient(pair.Client, _time);
        using var stop = new CancellationTokenSource();
        var request = new KeyValue { Value = new string('x', 1 << 20) };
        var calls = Enumerable.Range(0, 5).Select(_ => client.CallAsync(
            "service", "Method", request, KeyValue.Parser, [], Timeout.InfiniteTimeSpan, stop.Token)).ToList();
        stop.Cancel();
        foreach (var call in calls)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(s_patience));
        }

        Assert.False(client.Closed.IsCompleted);
    }

    [Fact]
    public async Task Call_MoreThanTheOtherEndReads_WaitsForRoom()
    {
        await using var pair = SocketPair.Open();
        await using var client = new TtrpcClient(pair.Client, _time);
        var text = new string('x', 100_000);
        var calls = Enumerable.Range(0, 100).Select(_ => CallAsync(client, text)).ToList();
        var server = new TtrpcServer((call, _) => Task.FromResult<IMessage>(KeyValue.Parser.ParseFrom(call.Message)), _time);
        _ = server.ServeAsync(pair.Server, CancellationToken.None);
        Assert.All(await Task.WhenAll(calls).WaitAsync(s_patience), answer => Assert.Equal(text, answer.Value));
    }

    private static Task<KeyValue> CallAsync(TtrpcClient client, string text) => client.CallAsync(
        "service", "Method", new KeyValue { Value = text }, KeyValue.Parser, [new("containerd-namespace-ttrpc", "mine")], TimeSpan.FromMinutes(1),
        CancellationToken.None);
}
