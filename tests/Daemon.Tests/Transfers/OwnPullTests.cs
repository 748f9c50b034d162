using Grpc.Core;
using ImageStore.Daemon.Api;
using ImageStore.Daemon.Protocol.NamespacesV1;
using ImageStore.Daemon.Protocol.StoreV1;
using ImageStore.Daemon.Tests.Support;
using ImageStore.TestKit;
using Own = ImageStore.Daemon.Protocol.StoreV1.Store.StoreClient;

namespace ImageStore.Daemon.Tests.Transfers;

/// <summary>What our own command asks of the daemon, for root and for others.</summary>
public sealed class OwnPullTests : TeamTest
{
    [Fact]
    public async Task Pull_WithTheCredentialOfWhoeverAsks_TellsItsProgressAndItsResult()
    {
        Registry.Intercept = request => request.Header("Authorization") == "Basic dXNlcjpzZWNyZXQ="
            ? null
            : FakeResponse.Text(401, "{}", ("WWW-Authenticate", "Basic realm=\"r\""));

        var events = await PullAsync(As(Writer), Request(), new Credential { Username = "user", Secret = "secret" });

        var question = Assert.Single(events, one => one.Question is not null).Question;
        Assert.Equal((Registry.Host, ImageBuilder.Repository), (question.Registry, question.Repository));
        var result = events[^1].Result;
        Assert.Equal((Reference, false), (result.Name, result.UpToDate));
        Assert.NotEmpty(result.ChainId);
        var blobs = events.SelectMany(one => one.Progress?.Blobs ?? []).GroupBy(blob => blob.Index).Select(group => group.Last()).ToList();
        Assert.Contains(blobs, blob => (blob.Kind, blob.State) == ("layer", "Done") && blob.Done == blob.Total);
        Assert.True((await PullAsync(As(Writer), Request(), new Credential { Username = "user", Secret = "secret" }))[^1].Result.UpToDate);
    }

    [Fact]
    public async Task Pull_WithoutACredential_EndsAsTheCommandWould()
    {
        Registry.Intercept = _ => FakeResponse.Text(401, "{}", ("WWW-Authenticate", "Basic realm=\"r\""));

        var failure = await Assert.ThrowsAsync<RpcException>(() => PullAsync(As(Writer), Request(), new Credential()));

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
        Registry.Intercept = _ => FakeResponse.Text(401, "{}", ("WWW-Authenticate", "Basic realm=\"r\""));

        var failure = await Assert.ThrowsAsync<RpcException>(() => PullAsync(As(Writer), Request(), null));

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

        var failure = await Assert.ThrowsAsync<RpcException>(() => PullAsync(As(Writer), what == "none" ? null : request, null));

        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.Empty(Registry.Requests);
    }

    [Fact]
    public async Task Pull_WithAHostsDirectory_IsRootsAlone()
    {
        var request = Request();
        request.HostsDirectories.Add(Daemon.Work);

        var failure = await Assert.ThrowsAsync<RpcException>(() => PullAsync(As(Writer), request, null));

        Assert.Equal(StatusCode.PermissionDenied, failure.StatusCode);
        Assert.Empty(Registry.Requests);
        Assert.NotNull((await PullAsync(Daemon.Channel, request, null))[^1].Result);
    }

    [Fact]
    public async Task Images_AreFoundTaggedAndPinned_ByTheNamesThatPeopleWrite()
    {
        await PullAsync(As(Writer), Request(), null);
        var own = new Own(As(Writer));

        var tagged = (await own.TagAsync(new TagRequest { Source = Reference, Target = "short" }, InTeam)).Image;
        Assert.Equal("docker.io/library/short:latest", tagged.Name);
        await own.PinAsync(new PinRequest { Reference = "short", Pinned = true }, InTeam);

        var found = (await own.FindAsync(new FindRequest { References = { "short", Reference, tagged.Name } }, InTeam)).Images;
        Assert.Equal([tagged.Name, Reference], found.Select(image => image.Name));
        Assert.Equal("pinned", found[0].Labels["io.cri-containerd.pinned"]);
        Assert.Equal(tagged.Target, found[1].Target);
        await Calls.FailsAsync(own.FindAsync(new FindRequest { References = { "none" } }, InTeam), StatusCode.NotFound);
        await Calls.FailsAsync(own.TagAsync(new TagRequest { Source = "none", Target = "x" }, InTeam), StatusCode.NotFound);
        await Calls.FailsAsync(
            own.FindAsync(new FindRequest { References = { Enumerable.Repeat("a", 2000) } }, InTeam), StatusCode.ResourceExhausted);
    }

    [Fact]
    public async Task Collect_OfAllNamespaces_IsRootsAlone_AndTellsWhatWent()
    {
        await PullAsync(As(Writer), Request(), null);
        var own = new Own(As(Writer));
        var target = (await own.FindAsync(new FindRequest { References = { Reference } }, InTeam)).Images[0].Target.Digest;
        await Calls.FailsAsync(
            own.RemoveAsync(new RemoveRequest { Name = Reference, Digest = Blobs.DigestOf("another") }, InTeam), StatusCode.NotFound);
        await own.PinAsync(new PinRequest { Reference = Reference, Pinned = true }, InTeam);
        await Calls.FailsAsync(own.RemoveAsync(new RemoveRequest { Name = Reference, Digest = target }, InTeam), StatusCode.FailedPrecondition);
        await own.PinAsync(new PinRequest { Reference = Reference }, InTeam);
        await own.RemoveAsync(new RemoveRequest { Name = Reference, Digest = target }, InTeam);
        await Calls.FailsAsync(own.RemoveAsync(new RemoveRequest { Name = Reference, Digest = target }, InTeam), StatusCode.NotFound);
        var told = await Calls.AllAsync(new Own(Daemon.Channel).Collect(new CollectRequest(), InTeam, cancellationToken: Ct));

        Assert.Equal(3, told.SelectMany(one => one.Removed).Count(one => one.Kind == "Content"));
        Assert.All(told.SelectMany(one => one.Removed), one => Assert.Equal("team", one.Namespace));
        Assert.True(told[^1].Summary.FreedBytes > 0);
    }

    [Theory]
    [InlineData(Writer)]
    [InlineData(Administrator)]
    public async Task Collect_OfAnybodyBelowRoot_IsRefused(uint user)
    {
        // Its figures would tell what others have.
        using var refused = new Own(As(user)).Collect(new CollectRequest(), InTeam, cancellationToken: Ct);
        var failure = await Assert.ThrowsAsync<RpcException>(() => refused.ResponseStream.MoveNext(Ct));
        Assert.Equal(StatusCode.PermissionDenied, failure.StatusCode);
        Assert.Contains($"The user {user} may not call Store/Collect", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limits_AreTheAdministrators_AndWhatIsLeftOutStays()
    {
        await Calls.FailsAsync(new Own(As(Writer)).LimitAsync(new LimitRequest { Namespace = "team" }, InTeam), StatusCode.PermissionDenied);
        var own = new Own(Daemon.Channel);
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
        await Calls.FailsAsync(new Own(As(Writer)).CreateNamespaceAsync(wanted, InTeam), StatusCode.PermissionDenied);
        var own = new Own(Daemon.Channel);

        var made = await own.CreateNamespaceAsync(wanted, InTeam);

        Assert.Equal((1, false, "b"), (made.Bytes.Value, made.Images.HasValue, made.Labels["a"]));
        await Calls.FailsAsync(own.CreateNamespaceAsync(wanted, InTeam), StatusCode.AlreadyExists);
        wanted.Namespace = "other";
        wanted.Bytes.Value = -1;
        await Calls.FailsAsync(own.CreateNamespaceAsync(wanted, InTeam), StatusCode.InvalidArgument);
        Assert.DoesNotContain((await new Namespaces.NamespacesClient(Daemon.Channel).ListAsync(new ListNamespacesRequest())).Namespaces, one => one.Name == "other");
    }

    private PullRequest Request() => new() { Reference = Reference, Policy = "Always", Unpack = true };

    /// <summary>Asks, and answers each question with <paramref name="answer"/>, or when that is null with a message without one.</summary>
    private static async Task<List<PullEvent>> PullAsync(ChannelBase channel, PullRequest? request, Credential? answer)
    {
        using var call = new Own(channel).Pull(InTeam, cancellationToken: Ct);
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
