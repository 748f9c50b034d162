using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Protocol.EventsV1;
using ImageStore.Daemon.Protocol.Happened;
using ImageStore.Daemon.Protocol.LeasesV1;
using ImageStore.Daemon.Protocol.SnapshotsV1;
using ImageStore.Daemon.Tests.Support;

namespace ImageStore.Daemon.Tests.Api;

public sealed class SnapshotsAndEventsTests : IAsyncLifetime
{
    private const string Native = "native";
    private static readonly Metadata s_in = RunningDaemon.In("ns");
    private RunningDaemon _daemon = null!;

    private Snapshots.SnapshotsClient Client => new(_daemon.Channel);

    private Protocol.EventsV1.Events.EventsClient Happening => new(_daemon.Channel);

    public async ValueTask InitializeAsync() => _daemon = await RunningDaemon.StartAsync();

    public ValueTask DisposeAsync() => _daemon.DisposeAsync();

    [Fact]
    public async Task Snapshot_FromPrepareToRemove()
    {
        var mounts = await Client.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = Native, Key = "a", Labels = { ["x"] = "1" } }, s_in);
        var mount = Assert.Single(mounts.Mounts);
        Assert.Equal("bind", mount.Type);
        Assert.True(Directory.Exists(mount.Source));
        Assert.Equal(mounts.Mounts, (await Client.MountsAsync(new MountsRequest { Snapshotter = Native, Key = "a" }, s_in)).Mounts);
        await File.WriteAllTextAsync(Path.Combine(mount.Source, "file"), "text", TestContext.Current.CancellationToken);
        await Client.CommitAsync(new CommitSnapshotRequest { Snapshotter = Native, Key = "a", Name = "b", Labels = { ["y"] = "2" } }, s_in);
        await Calls.FailsAsync(Client.StatAsync(new StatSnapshotRequest { Snapshotter = Native, Key = "a" }, s_in), StatusCode.NotFound);
        var info = (await Client.StatAsync(new StatSnapshotRequest { Snapshotter = Native, Key = "b" }, s_in)).Info;
        Assert.Equal((Kind.Committed, "2"), (info.Kind, info.Labels["y"]));
        Assert.Equal(2, (await Client.UsageAsync(new UsageRequest { Snapshotter = Native, Key = "b" }, s_in)).Inodes);
        await Client.ViewAsync(new ViewSnapshotRequest { Snapshotter = Native, Key = "v", Parent = "b" }, s_in);
        await Calls.FailsAsync(Client.RemoveAsync(new RemoveSnapshotRequest { Snapshotter = Native, Key = "b" }, s_in), StatusCode.FailedPrecondition);
        await Client.RemoveAsync(new RemoveSnapshotRequest { Snapshotter = Native, Key = "v" }, s_in);
        await Client.RemoveAsync(new RemoveSnapshotRequest { Snapshotter = Native, Key = "b" }, s_in);
        Assert.Empty(await Calls.AllAsync(Client.List(new ListSnapshotsRequest { Snapshotter = Native }, s_in)));
    }

    [Theory]
    [InlineData("", StatusCode.InvalidArgument)]
    [InlineData("btrfs", StatusCode.InvalidArgument)]
    public async Task AnyCall_OfAnotherSnapshotter_IsRefused(string name, StatusCode code) =>
        await Calls.FailsAsync(Client.StatAsync(new StatSnapshotRequest { Snapshotter = name, Key = "a" }, s_in), code);

    [Fact]
    public async Task Prepare_WhatIsThere_AlreadyExistsAndIsLeased()
    {
        var leases = new Leases.LeasesClient(_daemon.Channel);
        await leases.CreateAsync(new CreateRequest { Id = "l" }, s_in);
        await Client.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = Native, Key = "a" }, s_in);
        await Client.CommitAsync(new CommitSnapshotRequest { Snapshotter = Native, Key = "a", Name = "chain" }, s_in);
        var again = new PrepareSnapshotRequest { Snapshotter = Native, Key = "b", Labels = { ["containerd.io/snapshot.ref"] = "chain" } };
        await Calls.FailsAsync(Client.PrepareAsync(again, RunningDaemon.In("ns", "l")), StatusCode.AlreadyExists);
        var held = await leases.ListResourcesAsync(new ListResourcesRequest { Id = "l" }, s_in);
        Assert.Equal([new Resource { Type = "snapshots/native", Id = "chain" }], held.Resources);
    }

    [Fact]
    public async Task Commit_UnderALease_LeasesTheName()
    {
        var leases = new Leases.LeasesClient(_daemon.Channel);
        var leased = RunningDaemon.In("ns", "l");
        await leases.CreateAsync(new CreateRequest { Id = "l" }, s_in);
        await Client.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = Native, Key = "a" }, leased);
        await Client.CommitAsync(new CommitSnapshotRequest { Snapshotter = Native, Key = "a", Name = "b" }, leased);
        var held = await leases.ListResourcesAsync(new ListResourcesRequest { Id = "l" }, s_in);
        Assert.Equal([new Resource { Type = "snapshots/native", Id = "b" }], held.Resources);
    }

    [Fact]
    public async Task Prepare_UnderALease_EndsWithIt()
    {
        var leases = new Leases.LeasesClient(_daemon.Channel);
        await leases.CreateAsync(new CreateRequest { Id = "l" }, s_in);
        await Client.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = Native, Key = "leased" }, RunningDaemon.In("ns", "l"));
        await Client.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = Native, Key = "own" }, s_in);
        Assert.Empty((await Client.StatAsync(new StatSnapshotRequest { Snapshotter = Native, Key = "leased" }, s_in)).Info.Labels);
        await Client.CleanupAsync(new CleanupRequest { Snapshotter = Native }, s_in);
        Assert.Equal(["leased", "own"], await KeysAsync());
        await leases.DeleteAsync(new DeleteRequest { Id = "l", Sync = true }, s_in);
        Assert.Equal(["own"], await KeysAsync());
    }

    [Fact]
    public async Task Update_AllLabelsOfWhatALeaseKeeps_LeavesItTheLeases()
    {
        var leases = new Leases.LeasesClient(_daemon.Channel);
        await leases.CreateAsync(new CreateRequest { Id = "l" }, s_in);
        await Client.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = Native, Key = "leased" }, RunningDaemon.In("ns", "l"));
        await Client.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = Native, Key = "own" }, s_in);
        foreach (var key in await KeysAsync())
        {
            var change = new Info { Name = key, Labels = { ["x"] = "1", ["imagestore/leased"] = "true" } };
            await Client.UpdateAsync(new UpdateSnapshotRequest { Snapshotter = Native, Info = change }, s_in);
        }

        await leases.DeleteAsync(new DeleteRequest { Id = "l", Sync = true }, s_in);

        Assert.Equal(["own"], await KeysAsync());
    }

    [Fact]
    public async Task Update_ALabelByMask_IsFoundByIt()
    {
        await Client.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = Native, Key = "a", Labels = { ["x"] = "1", ["y"] = "2" } }, s_in);
        var change = new Info { Name = "a", Labels = { ["x"] = "3" } };
        await Client.UpdateAsync(new UpdateSnapshotRequest { Snapshotter = Native, Info = change, UpdateMask = new FieldMask { Paths = { "labels.x" } } }, s_in);
        var found = await Calls.AllAsync(Client.List(new ListSnapshotsRequest { Snapshotter = Native, Filters = { "kind==active,labels.x==3,labels.y==2" } }, s_in));
        Assert.Equal("a", Assert.Single(found.SelectMany(batch => batch.Info)).Name);
    }

    [Fact]
    public async Task Subscribe_WhatOthersDo_IsTold()
    {
        using var call = Happening.Subscribe(new SubscribeRequest { Filters = { "topic~=/^\\/snapshot/" } });
        await call.ResponseHeadersAsync;
        await Client.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = Native, Key = "a" }, s_in);
        await Client.RemoveAsync(new RemoveSnapshotRequest { Snapshotter = Native, Key = "a" }, s_in);
        Assert.True(await call.ResponseStream.MoveNext(default));
        var envelope = call.ResponseStream.Current;
        Assert.Equal(("/snapshot/prepare", "ns"), (envelope.Topic, envelope.Namespace));
        Assert.Equal(new SnapshotPrepare { Key = "a", Snapshotter = Native }, SnapshotPrepare.Parser.ParseFrom(envelope.Event.Value));
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.Equal("/snapshot/remove", call.ResponseStream.Current.Topic);
    }

    [Fact]
    public async Task Publish_AnEvent_IsHandedOnAsItIs()
    {
        using var call = Happening.Subscribe(new SubscribeRequest());
        await call.ResponseHeadersAsync;
        var happened = new Any { TypeUrl = "mine", Value = Google.Protobuf.ByteString.CopyFromUtf8("bytes") };
        await Happening.PublishAsync(new PublishRequest { Topic = "/mine/x", Event = happened }, s_in);
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.Equal(happened, call.ResponseStream.Current.Event);
        await Calls.FailsAsync(Happening.PublishAsync(new PublishRequest { Topic = "mine", Event = happened }, s_in), StatusCode.InvalidArgument);
        await Calls.FailsAsync(Happening.PublishAsync(new PublishRequest { Topic = "/mine", Event = happened }), StatusCode.FailedPrecondition);
        await Calls.FailsAsync(
            Happening.ForwardAsync(new ForwardRequest { Envelope = new() { Namespace = "ns", Topic = "/x", Event = happened } }), StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task Subscribe_SinceATime_GetsWhatWasMissed()
    {
        await Client.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = Native, Key = "a" }, s_in);
        using var call = Happening.Subscribe(new SubscribeRequest(), new Metadata { { "imagestore-events-since", "2000-01-01T00:00:00Z" } });
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.Equal("/snapshot/prepare", call.ResponseStream.Current.Topic);
    }

    private async Task<IEnumerable<string>> KeysAsync() =>
        (await Calls.AllAsync(Client.List(new ListSnapshotsRequest { Snapshotter = Native }, s_in))).SelectMany(batch => batch.Info).Select(info => info.Name);
}
