using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Happened;
using ImageStore.Runtime.Protocol.Types;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Logging;
using ImageStore.Shim.Loop;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Events;

/// <summary>Tells containerd what happens, in the order in which it happened.</summary>
/// <remarks>
/// While containerd does not answer, events wait for it, the later ones behind the earlier. What is older than <see cref="s_patience"/> is
/// given up, and so is the oldest of more than <see cref="QueueLength"/>: whoever comes back asks how things stand.
/// </remarks>
/// <param name="loop">Where it waits.</param>
/// <param name="socket">containerd's ttrpc socket, or empty where there is none.</param>
/// <param name="tenant">containerd's namespace.</param>
internal sealed class EventPublisher(EventLoop loop, string socket, string tenant)
{
    private const int QueueLength = 2048;
    private const string Service = "containerd.services.events.ttrpc.v1.Events";
    private const string NamespaceHeader = "containerd-namespace-ttrpc";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_callTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(500);

    private readonly Queue<(Envelope Envelope, long At)> _waiting = [];
    private TtrpcClient? _client;
    private Task _sending = Task.CompletedTask;

    /// <summary>Ends when there is nothing left to tell.</summary>
    public Task Sent => _sending;

    /// <summary>Tells it as soon as it can.</summary>
    public void Publish(IMessage happened)
    {
        if (socket.Length == 0)
        {
            return;
        }

        var topic = Topic.Of(happened);
        if (_waiting.Count >= QueueLength)
        {
            GiveUp();
        }

        var envelope = new Envelope
        {
            Timestamp = Timestamp.FromDateTimeOffset(loop.Time.GetUtcNow()),
            Namespace = tenant,
            Topic = topic.Name,
            Event = new Any { TypeUrl = topic.Type, Value = happened.ToByteString() },
        };
        _waiting.Enqueue((envelope, loop.Time.GetTimestamp()));
        if (_sending.IsCompleted)
        {
            _sending = SendAllAsync();
        }
    }

    private async Task SendAllAsync()
    {
        while (_waiting.TryPeek(out var next))
        {
            if (await TrySendAsync(next.Envelope).ConfigureAwait(false))
            {
                _ = _waiting.TryPeek(out var first) && first.Envelope == next.Envelope && _waiting.TryDequeue(out _);
                continue;
            }

            while (_waiting.TryPeek(out var oldest) && loop.Time.GetElapsedTime(oldest.At) > s_patience)
            {
                GiveUp();
            }

            await Task.Delay(s_pause, loop.Time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private void GiveUp()
    {
        if (_waiting.TryDequeue(out var oldest))
        {
            ShimLog.Warning($"{oldest.Envelope.Topic} is given up: containerd does not take it.");
        }
    }

    private async Task<bool> TrySendAsync(Envelope envelope)
    {
        try
        {
            if (_client is { Closed.IsCompleted: true } gone)
            {
                await gone.DisposeAsync().ConfigureAwait(false);
                _client = null;
            }

            _client ??= Connect();
            if (_client is null)
            {
                return false;
            }

            await _client.CallAsync(
                Service, "Forward", new ForwardRequest { Envelope = envelope }, Empty.Parser, [new(NamespaceHeader, tenant)], s_callTimeout,
                CancellationToken.None).ConfigureAwait(false);
            return true;
        }
        catch (RpcException refused) when (refused.Code is not (RpcCode.Unavailable or RpcCode.DeadlineExceeded))
        {
            ShimLog.Error($"containerd refuses {envelope.Topic}", refused);
            return true;
        }
        catch (Exception failure) when (failure is RpcException or ImageStoreException)
        {
            ShimLog.Debug($"{envelope.Topic} was not taken: {failure.Message}");
            var client = _client;
            _client = null;
            if (client is not null)
            {
                await client.DisposeAsync().ConfigureAwait(false);
            }

            return false;
        }
    }

    private TtrpcClient? Connect() =>
        UnixSockets.TryConnect(socket, out var connected) == ConnectResult.Connected
        ? new TtrpcClient(new LoopStream(loop.Add(connected!)), loop.Time) : null;
}
