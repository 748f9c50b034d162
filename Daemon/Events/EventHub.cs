using System.Threading.Channels;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Daemon.Api;
using ImageStore.Daemon.Filters;
using ImageStore.Runtime.Protocol.Types;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Events;

/// <summary>Hands events to those who subscribed, and keeps the last ones for those who come back.</summary>
/// <remarks>Nobody waits for a subscriber: one that is too far behind is told so and ends.</remarks>
internal sealed class EventHub(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly HashSet<Subscriber> _subscribers = [];
    private readonly Queue<Envelope> _recent = [];
    private long _recentBytes;

    /// <summary>Publishes what happened in a namespace.</summary>
    public void Publish(string @namespace, string topic, IMessage happened) =>
        Publish(@namespace, topic, new Any { TypeUrl = happened.Descriptor.FullName, Value = happened.ToByteString() });

    /// <inheritdoc cref="Publish(string, string, IMessage)"/>
    public void Publish(string @namespace, string topic, Any happened) => Forward(
        new Envelope { Timestamp = time.GetUtcNow().ToWire(), Namespace = @namespace, Topic = topic, Event = happened });

    /// <summary>Hands on an event as it is.</summary>
    public void Forward(Envelope envelope)
    {
        lock (_gate)
        {
            _recent.Enqueue(envelope);
            _recentBytes += envelope.CalculateSize();
            while (_recent.Count > DaemonLimits.ReplayedEvents || (_recentBytes > DaemonLimits.ReplayedBytes && _recent.Count > 1))
            {
                _recentBytes -= _recent.Dequeue().CalculateSize();
            }

            foreach (var subscriber in _subscribers.Where(subscriber => subscriber.IsFor(envelope)).ToList())
            {
                if (!subscriber.Queue.Writer.TryWrite(envelope))
                {
                    _subscribers.Remove(subscriber);
                    subscriber.Queue.Writer.TryComplete(new ImageStoreException(
                        ErrorKind.LimitExceeded,
                        $"The subscriber is {DaemonLimits.SubscriberQueue} events behind.",
                        "Subscribe again, and read events as they come."));
                }
            }
        }
    }

    /// <summary>Subscribes; the caller disposes the subscriber.</summary>
    /// <param name="filter">Which events.</param>
    /// <param name="mayRead">Of which namespaces.</param>
    /// <param name="since">Those after that time first, as far as they are still known; null for none.</param>
    /// <exception cref="ImageStoreException">There are too many subscribers (<see cref="ErrorKind.LimitExceeded"/>).</exception>
    public Subscriber Subscribe(Filter filter, Func<string, bool> mayRead, DateTimeOffset? since)
    {
        lock (_gate)
        {
            if (_subscribers.Count == DaemonLimits.Subscribers)
            {
                throw new ImageStoreException(
                    ErrorKind.LimitExceeded, $"There are {DaemonLimits.Subscribers} subscribers to events already.", "End some of them.");
            }

            var subscriber = new Subscriber(this, filter, mayRead);
            if (since is { } after)
            {
                var from = after.ToWire();
                foreach (var envelope in _recent.Where(one => one.Timestamp > from && subscriber.IsFor(one)))
                {
                    subscriber.Queue.Writer.TryWrite(envelope);
                }
            }

            _subscribers.Add(subscriber);
            return subscriber;
        }
    }

    private void Unsubscribe(Subscriber subscriber)
    {
        lock (_gate)
        {
            _subscribers.Remove(subscriber);
        }
    }

    /// <summary>Somebody who is handed events.</summary>
    internal sealed class Subscriber(EventHub hub, Filter filter, Func<string, bool> mayRead) : IDisposable
    {
        public Channel<Envelope> Queue { get; } = Channel.CreateBounded<Envelope>(
            new BoundedChannelOptions(DaemonLimits.SubscriberQueue) { SingleReader = true });

        public bool IsFor(Envelope envelope) => mayRead(envelope.Namespace) && filter.Matches(EventFields.Of(envelope));

        public void Dispose() => hub.Unsubscribe(this);
    }
}
