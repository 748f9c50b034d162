using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Authorization;
using ImageStore.Daemon.Events;
using ImageStore.Daemon.Filters;
using ImageStore.Daemon.Hosting;
using ImageStore.Runtime.Protocol.Types;
using ImageStore.Engine.Configuration;
using ImageStore.Store.Errors;
using ImageStore.Store.Namespaces;
using V1 = ImageStore.Daemon.Protocol.EventsV1;

namespace ImageStore.Daemon.Api;

/// <summary><c>containerd.services.events.v1</c>.</summary>
internal sealed class EventsService(EventHub hub, DaemonLife life) : V1.Events.EventsBase
{
    /// <summary>A header of ours: a subscriber that comes back gets what happened after that time, RFC 3339, first.</summary>
    public const string SinceHeader = "imagestore-events-since";

    public override Task<Empty> Publish(V1.PublishRequest request, ServerCallContext context)
    {
        Topics.Check(request.Topic);
        hub.Publish(Tenants.NamespaceOf(context), request.Topic, Checked(request.Event));
        return Task.FromResult(new Empty());
    }

    public override Task<Empty> Forward(V1.ForwardRequest request, ServerCallContext context)
    {
        hub.Forward(Checked(request.Envelope));
        return Task.FromResult(new Empty());
    }

    public override async Task Subscribe(V1.SubscribeRequest request, IServerStreamWriter<Envelope> responseStream, ServerCallContext context)
    {
        var caller = Caller.Of(context);
        using var subscriber = hub.Subscribe(
            Filter.Parse(request.Filters), name => caller.May(name, AccessRights.Read), Since(context.RequestHeaders.GetValue(SinceHeader)));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, life.Stopping);

        // Headers now: a client that waits for them knows that it misses nothing.
        await context.WriteResponseHeadersAsync([]).ConfigureAwait(false);
        await foreach (var envelope in subscriber.Queue.Reader.ReadAllAsync(end.Token).ConfigureAwait(false))
        {
            await responseStream.WriteAsync(envelope, end.Token).ConfigureAwait(false);
        }
    }

    /// <summary>An event that is handed on.</summary>
    /// <exception cref="ImageStoreException">A part of it is not there or malformed (<see cref="ErrorKind.InvalidArgument"/>), or it is too
    /// large.</exception>
    public static Envelope Checked(Envelope? envelope)
    {
        if (envelope is null)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, "The request has no event.");
        }

        NamespaceName.Check(envelope.Namespace);
        Topics.Check(envelope.Topic);
        Checked(envelope.Event);
        if (envelope.Timestamp is null)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, "An event that is handed on has to tell when it was.");
        }

        envelope.Timestamp.FromWire();
        return envelope;
    }

    private static Any Checked(Any? happened) => happened switch
    {
        null => throw new ImageStoreException(ErrorKind.InvalidArgument, "The request has no event."),
        { Value.Length: > DaemonLimits.EventBytes } => throw new ImageStoreException(
            ErrorKind.LimitExceeded, $"The event has {happened.Value.Length} bytes.", $"At most {DaemonLimits.EventBytes} are handed on."),
        _ => happened,
    };

    private static DateTimeOffset? Since(string? header) => header is null ? null
        : DateTimeOffset.TryParse(header, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var since) ? since
        : throw new ImageStoreException(ErrorKind.InvalidArgument, $"The header {SinceHeader} is no time.", "Write it as RFC 3339 says.");
}
