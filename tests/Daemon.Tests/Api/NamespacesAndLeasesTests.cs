using Grpc.Core;
using ImageStore.Daemon.Protocol.LeasesV1;
using ImageStore.Daemon.Protocol.NamespacesV1;
using ImageStore.Daemon.Tests.Support;

namespace ImageStore.Daemon.Tests.Api;

public sealed class NamespacesAndLeasesTests : IAsyncLifetime
{
    private static readonly Metadata s_in = RunningDaemon.In("ns");
    private RunningDaemon _daemon = null!;

    private Namespaces.NamespacesClient Spaces => new(_daemon.Channel);

    private Leases.LeasesClient Leased => new(_daemon.Channel);

    public async ValueTask InitializeAsync() => _daemon = await RunningDaemon.StartAsync();

    public ValueTask DisposeAsync() => _daemon.DisposeAsync();

    [Fact]
    public async Task Namespace_FromItsMakingToItsEnd()
    {
        var wanted = new Namespace { Name = "one", Labels = { ["a"] = "1", ["b"] = "2" } };
        Assert.Equal(wanted, (await Spaces.CreateAsync(new CreateNamespaceRequest { Namespace = wanted })).Namespace);
        await Calls.FailsAsync(Spaces.CreateAsync(new CreateNamespaceRequest { Namespace = wanted }), StatusCode.AlreadyExists);
        var updated = await Spaces.UpdateAsync(new UpdateNamespaceRequest
        {
            Namespace = new Namespace { Name = "one", Labels = { ["a"] = "3" } }, UpdateMask = new() { Paths = { "labels.a", "labels.b" } },
        });
        Assert.Equal(new Namespace { Name = "one", Labels = { ["a"] = "3" } }, updated.Namespace);
        Assert.Equal(updated.Namespace, (await Spaces.GetAsync(new GetNamespaceRequest { Name = "one" })).Namespace);
        Assert.Equal(["one"], (await Spaces.ListAsync(new ListNamespacesRequest { Filter = "labels.a==3" })).Namespaces.Select(one => one.Name));
        await Spaces.DeleteAsync(new DeleteNamespaceRequest { Name = "one" });
        await Calls.FailsAsync(Spaces.GetAsync(new GetNamespaceRequest { Name = "one" }), StatusCode.NotFound);
    }

    [Fact]
    public async Task Delete_ANamespaceThatHasSomething_IsRefused()
    {
        await Leased.CreateAsync(new CreateRequest { Id = "l" }, s_in);
        await Calls.FailsAsync(Spaces.DeleteAsync(new DeleteNamespaceRequest { Name = "ns" }), StatusCode.FailedPrecondition);
    }

    [Fact]
    public async Task Lease_FromItsMakingToItsEnd()
    {
        var made = await Leased.CreateAsync(new CreateRequest { Id = "l", Labels = { ["containerd.io/gc.expire"] = "2100-01-01T00:00:00Z" } }, s_in);
        Assert.Equal("l", made.Lease.Id);
        await Calls.FailsAsync(Leased.CreateAsync(new CreateRequest { Id = "l" }, s_in), StatusCode.AlreadyExists);
        Assert.NotEmpty((await Leased.CreateAsync(new CreateRequest(), s_in)).Lease.Id);
        Assert.Equal(made.Lease, Assert.Single((await Leased.ListAsync(new ListRequest { Filters = { "id==l" } }, s_in)).Leases));
        Assert.Empty((await Leased.ListAsync(new ListRequest(), RunningDaemon.In("other"))).Leases);
        await Leased.DeleteAsync(new DeleteRequest { Id = "l", Sync = true }, s_in);
        await Calls.FailsAsync(Leased.DeleteAsync(new DeleteRequest { Id = "l" }, s_in), StatusCode.NotFound);
    }

    [Fact]
    public async Task Resources_AreAddedAndLetGo()
    {
        await Leased.CreateAsync(new CreateRequest { Id = "l" }, s_in);
        var snapshot = new Resource { Type = "snapshots/overlayfs", Id = "key" };
        await Leased.AddResourceAsync(new AddResourceRequest { Id = "l", Resource = snapshot }, s_in);
        await Leased.AddResourceAsync(new AddResourceRequest { Id = "l", Resource = new Resource { Type = "content", Id = Blobs.DigestOf("a") } }, s_in);
        await Leased.DeleteResourceAsync(
            new DeleteResourceRequest { Id = "l", Resource = new Resource { Type = "content", Id = Blobs.DigestOf("a") } }, s_in);
        Assert.Equal([snapshot], (await Leased.ListResourcesAsync(new ListResourcesRequest { Id = "l" }, s_in)).Resources);
    }

    [Theory]
    [InlineData("content", "nodigest", StatusCode.InvalidArgument)]
    [InlineData("tasks", "x", StatusCode.Unimplemented)]
    [InlineData("snapshots/", "x", StatusCode.Unimplemented)]
    public async Task AddResource_OfAnotherKind_IsRefused(string type, string id, StatusCode code)
    {
        await Leased.CreateAsync(new CreateRequest { Id = "l" }, s_in);
        await Calls.FailsAsync(
            Leased.AddResourceAsync(new AddResourceRequest { Id = "l", Resource = new Resource { Type = type, Id = id } }, s_in), code);
    }
}
