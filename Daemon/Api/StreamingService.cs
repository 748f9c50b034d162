using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Authorization;
using ImageStore.Daemon.Hosting;
using ImageStore.Daemon.Protocol.StreamingV1;
using ImageStore.Daemon.Streaming;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Api;

/// <summary><c>containerd.services.streaming.v1</c>.</summary>
internal sealed class StreamingService(StreamTable streams, DaemonLife life) : Protocol.StreamingV1.Streaming.StreamingBase
{
    public override async Task Stream(IAsyncStreamReader<Any> requestStream, IServerStreamWriter<Any> responseStream, ServerCallContext context)
    {
        var @namespace = Tenants.NamespaceOf(context);
        if (!await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
        {
            throw Unnamed();
        }

        var first = requestStream.Current;
        if (!first.TypeUrl.EndsWith(StreamInit.Descriptor.FullName, StringComparison.Ordinal))
        {
            throw Unnamed();
        }

        var stream = new ClientStream(requestStream, responseStream);
        var name = new StreamName(@namespace, Caller.Of(context).Peer?.User, StreamInit.Parser.ParseFrom(first.Value).Id);
        using var entry = streams.Add(name, stream);

        // Only now may the client use it.
        await stream.SendAsync(new Empty(), context.CancellationToken).ConfigureAwait(false);

        // One that is in use has the time that its call has.
        using var stopping = life.Stopping.Register(() => streams.Abandon(name, stream));
        await stream.Ended.WaitAsync(context.CancellationToken).ConfigureAwait(false);
    }

    private static ImageStoreException Unnamed() => new(ErrorKind.InvalidArgument, "The first message of a stream has to name it.");
}
