using Grpc.Core;
using Grpc.Net.Client;
using ImageStore.Daemon.Api;
using ImageStore.Daemon.Protocol.NamespacesV1;
using ImageStore.Daemon.Protocol.StoreV1;
using ImageStore.Daemon.Tests.Support;
using ImageStore.TestKit;
using Own = ImageStore.Daemon.Protocol.StoreV1.Store.StoreClient;

namespace ImageStore.Daemon.Tests.Transfers;

/// <summary>What our own command asks of the daemon, for root and for others.</summary>
public sealed class OwnPullTests : IAsyncLifetime
{
    private const uint Writer = 1001;

    private const string Configuration =
        """
        [daemon]
        socket_group = 4242
        [[access]]
        users = [1001]
        namespaces = ["team"]
        may = ["write"]
        [[access]]
        users = [1002]
        namespaces = ["team"]
        may = ["administer"]
        """;

    private static readonly Metadata s_in = RunningDaemon.In("team");
    private readonly FakeRegistry _registry = new();
    private RunningDaemon _daemon = null!;
    private GrpcChannel _writer = null!;

    private string Reference => $"{_registry.Host}/{ImageBuilder.Repository}:1";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Somebody.NeedRoot();
        _daemon = await RunningDaemon.StartAsync(Configuration);
        await new Namespaces.NamespacesClient(_daemon.Channel).CreateAsync(
            new Protocol.NamespacesV1.CreateNamespaceRequest { Namespace = new Namespace { Name = "team" } }, cancellationToken: Ct);
        _writer = _daemon.As(Writer, 4242);
        _registry.AddImage("1", ImageBuilder.Tar("a", 10));
    }

    public async ValueTask DisposeAsync()
    {
        _writer?.Dispose();
        await (_daemon?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task Pull_WithTheCredentialOfWhoeverAsks_TellsItsProgressAndItsResult()
    {
        _registry.Intercept = request => request.Header("Authorization") == "Basic dXNlcjpzZWNyZXQ="
            ? null
            : FakeResponse.Text(401, "{}", ("WWW-Authenticate", "Basic realm=\"r\""));

        var events = await PullAsync(_writer, Request(), new Credential { Username = "user", Secret = "secret" });

        var question = Assert.Single(events, one => one.Question is not null).Question;
        Assert.Equal((_registry.Host, ImageBuilder.Repository), (question.Registry, question.Repository));
        var result = events[^1].Result;
        Assert.Equal((Reference, false), (result.Name, result.UpToDate));
        Assert.NotEmpty(result.ChainId);
        var blobs = events.SelectMany(one => one.Progress?.Blobs ?? []).GroupBy(blob => blob.Index).Select(group => group.Last()).ToList();
        Assert.Contains(blobs, blob => (blob.Kind, blob.State) == ("layer", "Done") && blob.Done == blob.Total);
        Assert.True((await PullAsync(_writer, Request(), new Credential { Username = "user", Secret = "secret" }))[^1].Result.UpToDate);
    }

    [Fact]
    public async Task Pull_WithoutACredential_EndsAsTheCommandWould()
    {
        _registry.Intercept = _ => FakeResponse.Text(401, "{}", ("WWW-Authenticate", "Basic realm=\"r\""));

        var failure = await Assert.ThrowsAsync<RpcException>(() => PullAsync(_writer, Request(), new Credential()));

        Assert.Equal(StatusCode.Unauthenticated, failure.StatusCode);
        var whole = Failure.Parser.ParseFrom(failure.Trailers.GetValueBytes(GrpcErrors.FailureTrailer));
        Assert.Equal("Unauthenticated", whole.Kind);
        Assert.StartsWith(whole.Message, failure.Status.Detail, StringComparison.Ordinal);
        Assert.EndsWith(whole.Remedy, failure.Status.Detail, StringComparison.Ordinal);
        Assert.NotEmpty(whole.Remedy);
    }

    [Fact]
    public async Task Pull_ThatIsAnsweredWithSomethingElse_IsRefused()
    {
        _registry.Intercept = _ => FakeResponse.Text(401, "{}", ("WWW-Authenticate", "Basic realm=\"r\""));

        var failure = await Assert.ThrowsAsync<RpcException>(() => PullAsync(_writer, Request(), null));

        Assert.Equal(StatusCode.Unauthenticated, failure.StatusCode);
        Assert.Contains("did not answer", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("policy")]
    [InlineData("platform")]
    [InlineData("reference")]
    [InlineData("none")]
    public async Task Pull_OfWhatIsMalformed_IsInvalid(string what)
    {
        var request = Request();
        switch (what)
        {
            case "policy":
                request.Policy = "Sometimes";
                break;
            case "platform":
                request.Platform = "a/b/c/d/e";
                break;
            case "reference":
                request.Reference = "UPPER/case:1";
                break;
        }

        var failure = await Assert.ThrowsAsync<RpcException>(() => PullAsync(_writer, what == "none" ? null : request, null));

        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.Empty(_registry.Requests);
    }

    [Fact]
    public async Task Pull_WithAHostsDirectory_IsRootsAlone()
    {
        var request = Request();
        request.HostsDirectories.Add(_daemon.Work);

        var failure = await Assert.ThrowsAsync<RpcException>(() => PullAsync(_writer, request, null));

        Assert.Equal(StatusCode.PermissionDenied, failure.StatusCode);
        Assert.Empty(_registry.Requests);
        Assert.NotNull((await PullAsync(_daemon.Channel, request, null))[^1].Result);
    }

    [Fact]
    public async Task Images_AreFoundTaggedAndPinned_ByTheNamesThatPeopleWrite()
    {
        await PullAsync(_writer, Request(), null);
        var own = new Own(_writer);

        var tagged = (await own.TagAsync(new TagRequest { Source = Reference, Target = "short" }, s_in)).Image;
        Assert.Equal("docker.io/library/short:latest", tagged.Name);
        await own.PinAsync(new PinRequest { Reference = "short", Pinned = true }, s_in);

        var found = (await own.FindAsync(new FindRequest { References = { "short", Reference, tagged.Name } }, s_in)).Images;
        Assert.Equal([tagged.Name, Reference], found.Select(image => image.Name));
        Assert.Equal("pinned", found[0].Labels["io.cri-containerd.pinned"]);
        Assert.Equal(tagged.Target, found[1].Target);
        await Calls.FailsAsync(own.FindAsync(new FindRequest { References = { "none" } }, s_in), StatusCode.NotFound);
        await Calls.FailsAsync(own.TagAsync(new TagRequest { Source = "none", Target = "x" }, s_in), StatusCode.NotFound);
        await Calls.FailsAsync(
            own.FindAsync(new FindRequest { References = { Enumerable.Repeat("a", 2000) } }, s_in), StatusCode.ResourceExhausted);
    }

    [Fact]
    public async Task Collect_OfAllNamespaces_IsRootsAlone_AndTellsWhatWent()
    {
        await PullAsync(_writer, Request(), null);
        var own = new Own(_writer);
        var target = (await own.FindAsync(new FindRequest { References = { Reference } }, s_in)).Images[0].Target.Digest;
        await Calls.FailsAsync(
            own.RemoveAsync(new RemoveRequest { Name = Reference, Digest = Blobs.DigestOf("another") }, s_in), StatusCode.NotFound);
        await own.PinAsync(new PinRequest { Reference = Reference, Pinned = true }, s_in);
        await Calls.FailsAsync(own.RemoveAsync(new RemoveRequest { Name = Reference, Digest = target }, s_in), StatusCode.FailedPrecondition);
        await own.PinAsync(new PinRequest { Reference = Reference }, s_in);
        await own.RemoveAsync(new RemoveRequest { Name = Reference, Digest = target }, s_in);
        await Calls.FailsAsync(own.RemoveAsync(new RemoveRequest { Name = Reference, Digest = target }, s_in), StatusCode.NotFound);
        foreach (var @namespace in (string[])["team", string.Empty])
        {
            using var refused = own.Collect(new CollectRequest { Namespace = @namespace }, s_in, cancellationToken: Ct);
            var failure = await Assert.ThrowsAsync<RpcException>(() => refused.ResponseStream.MoveNext(Ct));
            Assert.Equal(@namespace.Length > 0 ? StatusCode.PermissionDenied : StatusCode.InvalidArgument, failure.StatusCode);
        }

        var told = await Calls.AllAsync(new Own(_daemon.Channel).Collect(new CollectRequest(), s_in, cancellationToken: Ct));

        Assert.Equal(3, told.SelectMany(one => one.Removed).Count(one => one.Kind == "Content"));
        Assert.All(told.SelectMany(one => one.Removed), one => Assert.Equal("team", one.Namespace));
        Assert.True(told[^1].Summary.FreedBytes > 0);
    }

    [Fact]
    public async Task Collect_OfAnAdministratorOfANamespace_IsRefused()
    {
        // Its figures would tell what others have.
        using var administrator = _daemon.As(1002, 4242);
        using var refused = new Own(administrator).Collect(new CollectRequest { Namespace = "team" }, s_in, cancellationToken: Ct);
        var failure = await Assert.ThrowsAsync<RpcException>(() => refused.ResponseStream.MoveNext(Ct));
        Assert.Equal(StatusCode.PermissionDenied, failure.StatusCode);
    }

    [Fact]
    public async Task Limits_AreTheAdministrators_AndWhatIsLeftOutStays()
    {
        await Calls.FailsAsync(new Own(_writer).LimitAsync(new LimitRequest { Namespace = "team" }, s_in), StatusCode.PermissionDenied);
        var own = new Own(_daemon.Channel);
        await own.LimitAsync(new LimitRequest { Namespace = "team", Bytes = new Limited { Value = 5 } });

        var both = await own.LimitAsync(new LimitRequest { Namespace = "team", Images = new Limited { Value = 7 } });
        Assert.Equal((5, 7), (both.Bytes.Value, both.Images.Value));

        var one = await own.LimitAsync(new LimitRequest { Namespace = "team", Bytes = new Limited() });
        Assert.Equal((false, 7), (one.Bytes.HasValue, one.Images.Value));
        await Calls.FailsAsync(own.LimitAsync(new LimitRequest { Namespace = "team", Bytes = new Limited { Value = -1 } }), StatusCode.InvalidArgument);
        await Calls.FailsAsync(
            own.LimitAsync(new LimitRequest { Namespace = "team", Images = new Limited { Value = long.MaxValue } }), StatusCode.InvalidArgument);
        await Calls.FailsAsync(own.LimitAsync(new LimitRequest { Namespace = "none" }), StatusCode.NotFound);
    }

    [Fact]
    public async Task CreateNamespace_WithLimits_HasThemFromTheStart_AndIsTheAdministrators()
    {
        var wanted = new Protocol.StoreV1.CreateNamespaceRequest { Namespace = "new", Labels = { ["a"] = "b" }, Bytes = new Limited { Value = 1 }, Images = new Limited() };
        await Calls.FailsAsync(new Own(_writer).CreateNamespaceAsync(wanted, s_in), StatusCode.PermissionDenied);
        var own = new Own(_daemon.Channel);

        var made = await own.CreateNamespaceAsync(wanted, s_in);

        Assert.Equal((1, false, "b"), (made.Bytes.Value, made.Images.HasValue, made.Labels["a"]));
        await Calls.FailsAsync(own.CreateNamespaceAsync(wanted, s_in), StatusCode.AlreadyExists);
        wanted.Namespace = "other";
        wanted.Bytes.Value = -1;
        await Calls.FailsAsync(own.CreateNamespaceAsync(wanted, s_in), StatusCode.InvalidArgument);
        Assert.DoesNotContain((await new Namespaces.NamespacesClient(_daemon.Channel).ListAsync(new ListNamespacesRequest())).Namespaces, one => one.Name == "other");
    }

    private PullRequest Request() => new() { Reference = Reference, Policy = "Always", Unpack = true };

    /// <summary>Asks, and answers each question with <paramref name="answer"/>, or when that is null with a message without one.</summary>
    private static async Task<List<PullEvent>> PullAsync(ChannelBase channel, PullRequest? request, Credential? answer)
    {
        using var call = new Own(channel).Pull(s_in, cancellationToken: Ct);
        await call.RequestStream.WriteAsync(new PullMessage { Request = request }, Ct);
        List<PullEvent> events = [];
        while (await call.ResponseStream.MoveNext(Ct))
        {
            events.Add(call.ResponseStream.Current);
            if (call.ResponseStream.Current.Question is not null)
            {
                await call.RequestStream.WriteAsync(new PullMessage { Credential = answer }, Ct);
            }
        }

        return events;
    }
}
