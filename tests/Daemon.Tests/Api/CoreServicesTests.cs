using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Protocol.HealthV1;
using ImageStore.Daemon.Protocol.ImagesV1;
using ImageStore.Daemon.Protocol.IntrospectionV1;
using ImageStore.Daemon.Tests.Support;
using ImageStore.Daemon.Hosting;
using ImageStore.Store.Errors;
using V1 = ImageStore.Daemon.Protocol.VersionV1;

namespace ImageStore.Daemon.Tests.Api;

public sealed class CoreServicesTests : IAsyncLifetime
{
    private RunningDaemon _daemon = null!;

    public async ValueTask InitializeAsync() => _daemon = await RunningDaemon.StartAsync();

    public ValueTask DisposeAsync() => _daemon.DisposeAsync();

    [Fact]
    public async Task Version_IsALevelOfContainerdsAndOurs()
    {
        var told = await new V1.Version.VersionClient(_daemon.Channel).VersionAsync(new Empty());
        Assert.Matches(@"^1\.\d+\.\d+\+imagestore\.\d+\.\d+\.\d+$", told.Version);
    }

    [Fact]
    public async Task Plugins_AFilter_FindsASnapshotterWithItsPlatform()
    {
        var client = new Introspection.IntrospectionClient(_daemon.Channel);
        var told = await client.PluginsAsync(new PluginsRequest { Filters = { "type==io.containerd.snapshotter.v1, id==native" } });
        var plugin = Assert.Single(told.Plugins);
        Assert.Equal("linux", Assert.Single(plugin.Platforms).Os);
        Assert.Null(plugin.InitErr);
    }

    [Fact]
    public async Task Plugins_HaveEverySnapshotter_AndSayWhyOneDoesNotWork()
    {
        var client = new Introspection.IntrospectionClient(_daemon.Channel);
        var told = await client.PluginsAsync(new PluginsRequest { Filters = { "type==io.containerd.snapshotter.v1" } });
        Assert.Equal(["erofs", "native", "overlayfs"], told.Plugins.Select(plugin => plugin.Id).Order(StringComparer.Ordinal));
        Assert.All(told.Plugins.Where(plugin => plugin.InitErr is not null), plugin => Assert.NotEmpty(plugin.InitErr.Message));
    }

    [Fact]
    public async Task PluginInfo_OfNone_IsNotFound() => await Calls.FailsAsync(
        new Introspection.IntrospectionClient(_daemon.Channel).PluginInfoAsync(new PluginInfoRequest { Type = "x", Id = "y" }), StatusCode.NotFound);

    [Fact]
    public async Task Server_TellsOneId()
    {
        var client = new Introspection.IntrospectionClient(_daemon.Channel);
        var (first, second) = (await client.ServerAsync(new Empty()), await client.ServerAsync(new Empty()));
        Assert.True(Guid.TryParse(first.Uuid, out _));
        Assert.Equal(first.Uuid, second.Uuid);
        Assert.Equal((ulong)Environment.ProcessId, first.Pid);
        Assert.NotEqual(0ul, first.Pidns);
    }

    [Fact]
    public async Task Check_OfTheDaemon_Serves()
    {
        var client = new Health.HealthClient(_daemon.Channel);
        var told = await client.CheckAsync(new HealthCheckRequest());
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, told.Status);
        await Calls.FailsAsync(client.CheckAsync(new HealthCheckRequest { Service = "x" }), StatusCode.NotFound);
    }

    [Fact]
    public async Task Stop_AWatch_EndsUnavailable()
    {
        using var call = new Health.HealthClient(_daemon.Channel).Watch(new HealthCheckRequest());
        Assert.True(await call.ResponseStream.MoveNext(default));
        await _daemon.StopAsync();
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    [Theory]
    [InlineData(null, StatusCode.FailedPrecondition)]
    [InlineData("", StatusCode.FailedPrecondition)]
    [InlineData("-bad-", StatusCode.InvalidArgument)]
    [InlineData("a/b", StatusCode.InvalidArgument)]
    public async Task AnyCall_WithoutAGoodNamespace_IsRefused(string? ns, StatusCode code)
    {
        var headers = new Metadata();
        if (ns is not null)
        {
            headers.Add("containerd-namespace", ns);
        }

        await Calls.FailsAsync(new Images.ImagesClient(_daemon.Channel).ListAsync(new ListImagesRequest(), headers), code);
    }

    [Fact]
    public async Task AnyCall_ThatReads_MakesNoNamespace()
    {
        await new Images.ImagesClient(_daemon.Channel).ListAsync(new ListImagesRequest(), RunningDaemon.In("reader"));
        var told = await new Protocol.NamespacesV1.Namespaces.NamespacesClient(_daemon.Channel).ListAsync(new());
        Assert.DoesNotContain("reader", told.Namespaces.Select(one => one.Name));
    }

    [Fact]
    public async Task RunAsync_ASecondDaemonOnTheRoot_IsToldOfTheFirst()
    {
        var failure = await Assert.ThrowsAsync<ImageStoreException>(
            () => DaemonHost.RunAsync(_daemon.Options(_daemon.Address + "2"), TestContext.Current.CancellationToken));
        Assert.Equal(ErrorKind.FailedPrecondition, failure.Kind);
        Assert.Contains(_daemon.Address, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnyCall_OfAMessageOverTheCap_IsRefused()
    {
        var request = new ListImagesRequest { Filters = { new string('a', DaemonLimits.MessageBytes) } };
        await Calls.FailsAsync(
            new Images.ImagesClient(_daemon.Channel).ListAsync(request, RunningDaemon.In("x")), StatusCode.ResourceExhausted);
    }
}
