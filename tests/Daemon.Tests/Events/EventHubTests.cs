using Google.Protobuf.WellKnownTypes;
using ImageStore.Daemon.Events;
using ImageStore.Daemon.Filters;
using ImageStore.Daemon.Protocol.Happened;
using ImageStore.Runtime.Protocol.Types;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Tests.Events;

public sealed class EventHubTests
{
    private readonly EventHub _hub = new(TimeProvider.System);

    [Theory]
    [InlineData("topic==\"/images/create\"", true)]
    [InlineData("topic~=|^/images/|", true)]
    [InlineData("namespace==k8s.io", false)]
    [InlineData("event.name==alpine", true)]
    [InlineData("event.labels.\"a.b\"==1", true)]
    [InlineData("event.digest", false)]
    public void Publish_ToAFilter_HandsOnWhatMatches(string filter, bool matches)
    {
        using var subscriber = _hub.Subscribe(Filter.Parse([filter]), _ => true, null);
        _hub.Publish("default", Topics.ImageCreate, new ImageCreate { Name = "alpine", Labels = { ["a.b"] = "1" } });
        Assert.Equal(matches, subscriber.Queue.Reader.TryRead(out _));
    }

    [Fact]
    public void Publish_TypeUrls_AreContainerds()
    {
        using var subscriber = _hub.Subscribe(Filter.Any, _ => true, null);
        _hub.Publish("default", Topics.ImageDelete, new ImageDelete { Name = "a" });
        _hub.Publish("default", Topics.SnapshotRemove, new SnapshotRemove { Key = "a" });
        Assert.Equal(
            ["containerd.services.images.v1.ImageDelete", "containerd.events.SnapshotRemove"],
            [Next(subscriber).Event.TypeUrl, Next(subscriber).Event.TypeUrl]);
    }

    [Fact]
    public void Subscribe_SinceATime_GetsWhatHappenedAfterFirst()
    {
        Forward(1);
        Forward(2);
        Forward(3);
        using var subscriber = _hub.Subscribe(Filter.Any, _ => true, DateTimeOffset.FromUnixTimeSeconds(1));
        Forward(4);
        Assert.Equal([2, 3, 4], [Next(subscriber).Timestamp.Seconds, Next(subscriber).Timestamp.Seconds, Next(subscriber).Timestamp.Seconds]);
    }

    [Fact]
    public async Task Publish_MoreThanASubscriberReads_EndsIt()
    {
        using var slow = _hub.Subscribe(Filter.Any, _ => true, null);
        for (var i = 0; i <= DaemonLimits.SubscriberQueue; i++)
        {
            Forward(i);
        }

        var failure = await Assert.ThrowsAsync<ImageStoreException>(async () =>
        {
            await foreach (var one in slow.Queue.Reader.ReadAllAsync(TestContext.Current.CancellationToken))
            {
                Assert.NotNull(one);
            }
        });
        Assert.Equal(ErrorKind.LimitExceeded, failure.Kind);
    }

    [Fact]
    public void Subscribe_BeyondTheCap_IsRefused()
    {
        List<EventHub.Subscriber> all = [.. Enumerable.Range(0, DaemonLimits.Subscribers).Select(_ => _hub.Subscribe(Filter.Any, _ => true, null))];
        Assert.Throws<ImageStoreException>(() => _hub.Subscribe(Filter.Any, _ => true, null));
        all[0].Dispose();
        _hub.Subscribe(Filter.Any, _ => true, null).Dispose();
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("images")]
    [InlineData("/images//x")]
    [InlineData("/images/ ")]
    public void Check_NoTopic_IsRefused(string topic) => Assert.Throws<ImageStoreException>(() => Topics.Check(topic));

    private static Envelope Next(EventHub.Subscriber subscriber) =>
        subscriber.Queue.Reader.TryRead(out var envelope) ? envelope : throw new InvalidOperationException("there is none");

    private void Forward(long seconds) => _hub.Forward(new Envelope
    {
        Timestamp = new Timestamp { Seconds = seconds }, Namespace = "default", Topic = "/x", Event = new Any(),
    });
}
