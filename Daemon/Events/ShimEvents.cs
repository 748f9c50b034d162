using System.Net.Sockets;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Daemon.Hosting;
using ImageStore.Runtime.Protocol.Happened;
using ImageStore.Runtime.Tasks;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Daemon.Events;

/// <summary>Takes what shims tell, on a socket of their own, and hands it on.</summary>
internal sealed class ShimEvents(EventHub hub, TaskManager tasks, TimeProvider time, DaemonLife life)
{
    private const string Service = "containerd.services.events.ttrpc.v1.Events";
    private const string ExitType = "containerd.events.TaskExit";

    private int _open;

    /// <summary>Serves until it is cancelled.</summary>
    public async Task ServeAsync(Socket listener, CancellationToken stop)
    {
        var server = new TtrpcServer(AnswerAsync, time);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var connection = await listener.AcceptAsync(stop).ConfigureAwait(false);
                _ = ServeAsync(server, connection, stop);
            }
            catch (OperationCanceledException)
            {
            }
            catch (SocketException failure)
            {
                life.Tell($"a shim cannot connect: {failure.Message}");
                await Task.Delay(DaemonLimits.AcceptPause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ServeAsync(TtrpcServer server, Socket connection, CancellationToken stop)
    {
        var stream = new NetworkStream(connection, ownsSocket: true);
        await using var closing = stream.ConfigureAwait(false);
        try
        {
            // Shims run as the daemon does. What they tell is believed.
            if (Interlocked.Increment(ref _open) <= DaemonLimits.ShimConnections && SocketPeer.UserOf(connection) is { } user && (user == 0 || user == ProcessRights.User))
            {
                await server.ServeAsync(stream, stop).ConfigureAwait(false);
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // It sends again what was not answered.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private Task<IMessage> AnswerAsync(RpcCall call, CancellationToken cancellationToken)
    {
        if (call is not { Service: Service, Method: "Forward" })
        {
            throw new RpcException(RpcCode.Unimplemented, $"There is no method {Printable.Of(call.Service)}/{Printable.Of(call.Method)}.");
        }

        var envelope = Api.EventsService.Checked(ForwardRequest.Parser.ParseFrom(call.Message).Envelope);
        if (envelope.Event.TypeUrl.EndsWith(ExitType, StringComparison.Ordinal))
        {
            tasks.Note(envelope.Namespace, TaskExit.Parser.ParseFrom(envelope.Event.Value));
        }

        hub.Forward(envelope);
        return Task.FromResult<IMessage>(new Empty());
    }
}
