using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using ImageStore.Daemon.Protocol.ContentV1;
using ImageStore.Daemon.Protocol.EventsV1;
using ImageStore.Daemon.Protocol.ImagesV1;
using ImageStore.Daemon.Protocol.LeasesV1;
using ImageStore.Daemon.Protocol.NamespacesV1;
using ImageStore.Daemon.Tests.Support;
using Version = ImageStore.Daemon.Protocol.VersionV1.Version;

namespace ImageStore.Daemon.Tests.Authorization;

/// <summary>Users at the socket, each of whom the kernel says who it is.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private const uint Door = 4242;
    private const uint Writer = 1001;
    private const uint Administrator = 1003;
    private const uint Stranger = 1009;
    private const uint Readers = 5005;

    private const string Configuration =
        """
        [daemon]
        socket_group = 4242
        [[access]]
        users = [1001]
        namespaces = ["team-a", "ci-*"]
        may = ["write"]
        [[access]]
        groups = [5005]
        namespaces = ["team-b"]
        may = ["read"]
        [[access]]
        users = [1003]
        namespaces = ["team-c", "ci-*"]
        may = ["administer"]
        """;

    private static readonly Metadata s_inA = RunningDaemon.In("team-a");
    private static readonly Metadata s_inB = RunningDaemon.In("team-b");
    private readonly List<GrpcChannel> _channels = [];
    private RunningDaemon _daemon = null!;

    public async ValueTask InitializeAsync()
    {
        if (Environment.IsPrivilegedProcess)
        {
            _daemon = await RunningDaemon.StartAsync(Configuration);
            await MakeAsync("team-a");
            await MakeAsync("team-b");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _channels.ForEach(channel => channel.Dispose());
        await (_daemon?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    [Fact]
    public async Task AnyCall_OfSomebodyWithoutARule_IsRefusedAndSaysWho()
    {
        var refused = await Calls.FailsAsync(new Version.VersionClient(As(Stranger)).VersionAsync(new Empty()), StatusCode.PermissionDenied);
        Assert.Contains("The user 1009 may not use this daemon", refused.Detail, StringComparison.Ordinal);
        await Calls.FailsAsync(new Images.ImagesClient(As(Stranger)).ListAsync(new ListImagesRequest(), s_inA), StatusCode.PermissionDenied);
    }

    [Fact]
    public async Task AnyCall_OfSomebodyOutsideTheSocketsGroup_CannotConnect()
    {
        Somebody.NeedRoot();
        using var channel = _daemon.As(Writer);
        await Calls.FailsAsync(new Version.VersionClient(channel).VersionAsync(new Empty()), StatusCode.Unavailable);
    }

    [Fact]
    public async Task Connections_OfAUser_AreSoManyAndNoMore()
    {
        Somebody.NeedRoot();
        for (var i = 0; i < DaemonLimits.ConnectionsOfAUser; i++)
        {
            await new Version.VersionClient(As(Writer)).VersionAsync(new Empty());
        }

        await Calls.FailsAsync(new Version.VersionClient(As(Writer)).VersionAsync(new Empty()), StatusCode.Unavailable);
        await new Version.VersionClient(As(Administrator)).VersionAsync(new Empty());
    }

    [Fact]
    public async Task Write_InAnOwnNamespace_IsDone()
    {
        var content = new Content.ContentClient(As(Writer));
        var digest = await content.WriteAsync("text", s_inA);
        var images = new Images.ImagesClient(As(Writer));
        await images.CreateAsync(Image("one", digest), s_inA);
        Assert.Equal("one", Assert.Single((await images.ListAsync(new ListImagesRequest(), s_inA)).Images).Name);
        await images.DeleteAsync(new DeleteImageRequest { Name = "one" }, s_inA);
        Assert.Equal(4, (await content.InfoAsync(new InfoRequest { Digest = digest }, s_inA)).Info.Size);
    }

    [Fact]
    public async Task AnyCall_InAnothersNamespace_IsDeniedAndSaysWhatWouldBeNeeded()
    {
        var digest = await new Content.ContentClient(_daemon.Channel).WriteAsync("secret", s_inB);
        var content = new Content.ContentClient(As(Writer));
        var denied = await Calls.FailsAsync(content.InfoAsync(new InfoRequest { Digest = digest }, s_inB), StatusCode.PermissionDenied);
        Assert.Equal(
            "The user 1001 may not call Content/Info in the namespace 'team-b': that needs the right 'read' there. "
            + "Root grants it in the daemon's config.toml: [[access]] users = [1001], namespaces = [\"team-b\"], may = [\"read\"].",
            denied.Detail);
        var failure = await Assert.ThrowsAsync<RpcException>(() => content.WriteAsync("mine", s_inB));
        Assert.Equal(StatusCode.PermissionDenied, failure.StatusCode);
        Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(
            () => Calls.AllAsync(content.Read(new ReadContentRequest { Digest = digest }, s_inB)))).StatusCode);

        // One's own namespace does not help to what another one has.
        await Calls.FailsAsync(content.InfoAsync(new InfoRequest { Digest = digest }, s_inA), StatusCode.NotFound);
        Assert.Equal(digest, await content.WriteAsync("secret", s_inA));
    }

    [Fact]
    public async Task AnyCall_InAnothersNamespace_DoesNotTellWhetherThatIsThere()
    {
        var images = new Images.ImagesClient(As(Writer));
        var there = await Calls.FailsAsync(images.ListAsync(new ListImagesRequest(), s_inB), StatusCode.PermissionDenied);
        var none = await Calls.FailsAsync(images.ListAsync(new ListImagesRequest(), RunningDaemon.In("team-z")), StatusCode.PermissionDenied);
        Assert.Equal(there.Detail.Replace("team-b", "team-z", StringComparison.Ordinal), none.Detail);
        var spaces = new Namespaces.NamespacesClient(As(Writer));
        there = await Calls.FailsAsync(spaces.GetAsync(new GetNamespaceRequest { Name = "team-b" }), StatusCode.PermissionDenied);
        none = await Calls.FailsAsync(spaces.GetAsync(new GetNamespaceRequest { Name = "team-z" }), StatusCode.PermissionDenied);
        Assert.Equal(there.Detail.Replace("team-b", "team-z", StringComparison.Ordinal), none.Detail);
        await Calls.FailsAsync(spaces.DeleteAsync(new DeleteNamespaceRequest { Name = "team-z" }), StatusCode.PermissionDenied);
    }

    [Fact]
    public async Task AnyCall_ThroughAGroupBeside_MayReadAndNoMore()
    {
        var images = new Images.ImagesClient(As(Stranger, Readers));
        Assert.Empty((await images.ListAsync(new ListImagesRequest(), s_inB)).Images);
        await Calls.FailsAsync(images.CreateAsync(Image("one", Blobs.DigestOf("x")), s_inB), StatusCode.PermissionDenied);
        await Calls.FailsAsync(images.DeleteAsync(new DeleteImageRequest { Name = "one" }, s_inB), StatusCode.PermissionDenied);
        await Calls.FailsAsync(
            new Leases.LeasesClient(As(Stranger, Readers)).CreateAsync(new CreateRequest { Id = "l" }, s_inB), StatusCode.PermissionDenied);
        await Calls.FailsAsync(images.ListAsync(new ListImagesRequest(), s_inA), StatusCode.PermissionDenied);
    }

    [Fact]
    public async Task Namespaces_AreThoseThatTheCallerMayRead()
    {
        await MakeAsync("ci-1");
        Assert.Equal(["ci-1", "team-a"], await NamesAsync(As(Writer)));
        Assert.Equal(["team-b"], await NamesAsync(As(Stranger, Readers)));
        Assert.Equal(["ci-1"], await NamesAsync(As(Administrator)));
        Assert.Equal(["ci-1", "team-a", "team-b"], await NamesAsync(_daemon.Channel));
    }

    [Fact]
    public async Task Namespace_ThatIsNotThere_IsMadeByAnAdministratorAlone()
    {
        var leases = new Leases.LeasesClient(As(Writer));
        var denied = await Calls.FailsAsync(leases.CreateAsync(new CreateRequest { Id = "l" }, RunningDaemon.In("ci-1")), StatusCode.PermissionDenied);
        Assert.Contains("needs the right 'administer'", denied.Detail, StringComparison.Ordinal);
        await Calls.FailsAsync(
            new Namespaces.NamespacesClient(As(Writer)).CreateAsync(new CreateNamespaceRequest { Namespace = new() { Name = "ci-1" } }),
            StatusCode.PermissionDenied);
        Assert.DoesNotContain("ci-1", await NamesAsync(_daemon.Channel));

        var spaces = new Namespaces.NamespacesClient(As(Administrator));
        await spaces.CreateAsync(new CreateNamespaceRequest { Namespace = new() { Name = "ci-1" } });
        await leases.CreateAsync(new CreateRequest { Id = "l" }, RunningDaemon.In("ci-1"));
        await spaces.UpdateAsync(new UpdateNamespaceRequest { Namespace = new() { Name = "ci-1", Labels = { ["a"] = "b" } } });
        await Calls.FailsAsync(spaces.UpdateAsync(new UpdateNamespaceRequest { Namespace = new() { Name = "team-a" } }), StatusCode.PermissionDenied);
        await Calls.FailsAsync(spaces.DeleteAsync(new DeleteNamespaceRequest { Name = "team-a" }, RunningDaemon.In("ci-1")), StatusCode.PermissionDenied);
        await Calls.FailsAsync(
            new Leases.LeasesClient(As(Administrator)).CreateAsync(new CreateRequest { Id = "m" }, RunningDaemon.In("ci-1")), StatusCode.PermissionDenied);
    }

    [Theory]
    [InlineData(StatusCode.InvalidArgument, "team-a", "team-b")]
    [InlineData(StatusCode.InvalidArgument, "team-b", "team-a")]
    [InlineData(StatusCode.InvalidArgument, "team-a,team-b")]
    [InlineData(StatusCode.InvalidArgument, "team-a/../team-b")]
    [InlineData(StatusCode.InvalidArgument, "ci-*")]
    [InlineData(StatusCode.PermissionDenied, "TEAM-A")]
    [InlineData(StatusCode.FailedPrecondition, "")]
    [InlineData(StatusCode.FailedPrecondition)]
    public async Task AnyCall_WithAHeaderThatCouldDeceive_IsRefused(StatusCode code, params string[] headers)
    {
        var metadata = new Metadata();
        Array.ForEach(headers, header => metadata.Add("containerd-namespace", header));
        await Calls.FailsAsync(new Images.ImagesClient(As(Writer)).ListAsync(new ListImagesRequest(), metadata), code);
    }

    [Theory]
    [InlineData("containerd.services.images.v1.images", "delete")]
    [InlineData("containerd.services.images.v1.Images", "Delete/")]
    [InlineData("containerd.services.namespaces.v1.Namespaces", "DELETE")]
    public async Task AnyCall_WhosePathIsWrittenOtherwise_IsRefusedAlsoToRoot(string service, string name)
    {
        Somebody.NeedRoot();
        var method = new Method<DeleteImageRequest, Empty>(
            MethodType.Unary,
            service,
            name,
            Marshallers.Create(Google.Protobuf.MessageExtensions.ToByteArray, DeleteImageRequest.Parser.ParseFrom),
            Marshallers.Create(Google.Protobuf.MessageExtensions.ToByteArray, Empty.Parser.ParseFrom));
        foreach (var channel in (GrpcChannel[])[As(Writer), _daemon.Channel])
        {
            await Calls.FailsAsync(
                channel.CreateCallInvoker().AsyncUnaryCall(method, null, new CallOptions(s_inB), new DeleteImageRequest { Name = "team-b" }),
                StatusCode.PermissionDenied);
        }
    }

    [Fact]
    public async Task Publish_IntoAnothersNamespace_IsDeniedWhateverTheHeaderSays()
    {
        var client = new Protocol.EventsV1.Events.EventsClient(As(Writer));
        var happened = new Any { TypeUrl = "mine" };
        await client.PublishAsync(new PublishRequest { Topic = "/x", Event = happened }, s_inA);
        await Calls.FailsAsync(client.PublishAsync(new PublishRequest { Topic = "/x", Event = happened }, s_inB), StatusCode.PermissionDenied);
        await client.ForwardAsync(Event("team-a"), s_inB);
        await Calls.FailsAsync(client.ForwardAsync(Event("team-b"), s_inA), StatusCode.PermissionDenied);
        await Calls.FailsAsync(client.ForwardAsync(Event(string.Empty), s_inA), StatusCode.InvalidArgument);
        await Calls.FailsAsync(client.ForwardAsync(new ForwardRequest(), s_inA), StatusCode.InvalidArgument);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Subscribe_Events_AreThoseOfNamespacesThatTheCallerMayRead(bool before)
    {
        var all = new Protocol.EventsV1.Events.EventsClient(_daemon.Channel);
        var headers = before ? new Metadata { { "imagestore-events-since", "2000-01-01T00:00:00Z" } } : s_inB;
        if (before)
        {
            await SendAsync();
        }

        using var call = new Protocol.EventsV1.Events.EventsClient(As(Writer)).Subscribe(new SubscribeRequest { Filters = { "topic==\"/x\"" } }, headers);
        await call.ResponseHeadersAsync;
        if (!before)
        {
            await SendAsync();
        }

        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.Equal("team-a", call.ResponseStream.Current.Namespace);
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.Equal("ci-9", call.ResponseStream.Current.Namespace);

        async Task SendAsync()
        {
            foreach (var name in (string[])["team-b", "team-a", "team-b", "ci-9"])
            {
                await all.ForwardAsync(Event(name));
            }
        }
    }

    [Fact]
    public async Task Lease_OfAnotherNamespace_IsNotThere()
    {
        await new Leases.LeasesClient(_daemon.Channel).CreateAsync(new CreateRequest { Id = "theirs" }, s_inB);
        var leases = new Leases.LeasesClient(As(Writer));
        Assert.Empty((await leases.ListAsync(new Protocol.LeasesV1.ListRequest(), s_inA)).Leases);
        var failure = await Assert.ThrowsAsync<RpcException>(
            () => new Content.ContentClient(As(Writer)).WriteAsync("x", RunningDaemon.In("team-a", "theirs")));
        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
    }

    [Fact]
    public async Task VersionAndHealth_OfAnybodyWithARule_AreAnswered()
    {
        Assert.NotEmpty((await new Version.VersionClient(As(Stranger, Readers)).VersionAsync(new Empty())).Version);
        var health = new Protocol.HealthV1.Health.HealthClient(As(Administrator));
        await health.CheckAsync(new Protocol.HealthV1.HealthCheckRequest());
    }

    private static CreateImageRequest Image(string name, string digest) => new()
    {
        Image = new() { Name = name, Target = new() { MediaType = "application/vnd.oci.image.manifest.v1+json", Digest = digest, Size = 4 } },
    };

    private static ForwardRequest Event(string @namespace) => new()
    {
        Envelope = new() { Namespace = @namespace, Topic = "/x", Event = new Any { TypeUrl = "mine" }, Timestamp = new Timestamp { Seconds = 1 << 30 } },
    };

    private static async Task<IEnumerable<string>> NamesAsync(GrpcChannel channel) =>
        (await new Namespaces.NamespacesClient(channel).ListAsync(new ListNamespacesRequest())).Namespaces.Select(one => one.Name);

    private async Task MakeAsync(string name) =>
        await new Namespaces.NamespacesClient(_daemon.Channel).CreateAsync(new CreateNamespaceRequest { Namespace = new() { Name = name } });

    private GrpcChannel As(uint user, params uint[] groups)
    {
        Somebody.NeedRoot();
        var channel = _daemon.As(user, [Door, .. groups]);
        _channels.Add(channel);
        return channel;
    }
}
