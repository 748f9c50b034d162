using System.Net.Sockets;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Daemon.Protocol.EventsV1;
using ImageStore.Daemon.Tests.Support;
using ImageStore.Runtime.Protocol.Happened;
using ImageStore.Runtime.Protocol.Types;
using ImageStore.Runtime.Ttrpc;
using ForwardRequest = ImageStore.Runtime.Protocol.Happened.ForwardRequest;

namespace ImageStore.Daemon.Tests.Events;

public sealed class ShimEventsTests : IAsyncLifetime
{
    private const string Service = "containerd.services.events.ttrpc.v1.Events";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private RunningDaemon _daemon = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Address => _daemon.Address + ".ttrpc";

    public async ValueTask InitializeAsync() => _daemon = await RunningDaemon.StartAsync();

    public ValueTask DisposeAsync() => _daemon.DisposeAsync();

    [Fact]
    public async Task WhatAShimTells_IsHandedOn()
    {
        using var call = new Protocol.EventsV1.Events.EventsClient(_daemon.Channel).Subscribe(
            new SubscribeRequest { Filters = { "event.container_id==id" } }, cancellationToken: Ct);
        await call.ResponseHeadersAsync;
        await using var shim = await ConnectAsync();
        await ForwardAsync(shim, Told(new TaskOOM { ContainerId = "other" }, "/tasks/oom"));
        await ForwardAsync(shim, Told(new TaskOOM { ContainerId = "id" }, "/tasks/oom"));
        Assert.True(await call.ResponseStream.MoveNext(Ct));
        Assert.Equal(Told(new TaskOOM { ContainerId = "id" }, "/tasks/oom"), call.ResponseStream.Current);
    }

    [Theory]
    [InlineData("Forward", "no topic", "ns")]
    [InlineData("Forward", "/tasks/exit", "-bad")]
    [InlineData("Else", "/tasks/exit", "ns")]
    public async Task WhatIsMalformed_IsRefusedAndTheConnectionGoesOn(string method, string topic, string @namespace)
    {
        await using var shim = await ConnectAsync();
        var envelope = Told(new TaskOOM(), topic);
        envelope.Namespace = @namespace;
        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(shim, method, envelope));
        Assert.Equal(method == "Else" ? RpcCode.Unimplemented : RpcCode.InvalidArgument, failure.Code);
        await ForwardAsync(shim, Told(new TaskOOM(), "/tasks/oom"));
    }

    [Fact]
    public async Task AStranger_IsNotHeard()
    {
        Somebody.NeedRoot();
        File.SetUnixFileMode(Address, (UnixFileMode)0b110_110_110);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Somebody.Do(1001, [], () => socket.Connect(new UnixDomainSocketEndPoint(Address)));
        await using var shim = new TtrpcClient(new NetworkStream(socket, ownsSocket: true), TimeProvider.System);
        var failure = await Assert.ThrowsAsync<RpcException>(() => ForwardAsync(shim, Told(new TaskOOM(), "/tasks/oom")));
        Assert.Equal(RpcCode.Unavailable, failure.Code);
    }

    private static Envelope Told(IMessage happened, string topic) => new()
    {
        Timestamp = Timestamp.FromDateTime(DateTime.UnixEpoch),
        Namespace = "ns",
        Topic = topic,
        Event = new Any { TypeUrl = happened.Descriptor.FullName, Value = happened.ToByteString() },
    };

    private static Task<Empty> ForwardAsync(TtrpcClient shim, Envelope envelope) => CallAsync(shim, "Forward", envelope);

    private static Task<Empty> CallAsync(TtrpcClient shim, string method, Envelope envelope) =>
        shim.CallAsync(Service, method, new ForwardRequest { Envelope = envelope }, Empty.Parser, [], s_patience, Ct);

    private async Task<TtrpcClient> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Address), Ct);
        return new TtrpcClient(new NetworkStream(socket, ownsSocket: true), TimeProvider.System);
    }
}
