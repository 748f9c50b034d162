using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Events;
using ImageStore.Daemon.Filters;
using ImageStore.Daemon.Protocol.Happened;
using ImageStore.Engine.Serving;
using ImageStore.Store.Containers;
using ImageStore.Store.Errors;
using V1 = ImageStore.Daemon.Protocol.ContainersV1;

namespace ImageStore.Daemon.Api;

/// <summary><c>containerd.services.containers.v1</c>: what is written of containers; nothing here runs one.</summary>
internal sealed class ContainersService(ServedStore store, Tenants tenants, EventHub events) : V1.Containers.ContainersBase
{
    public override Task<V1.GetContainerResponse> Get(V1.GetContainerRequest request, ServerCallContext context) => Task.FromResult(
        new V1.GetContainerResponse
        {
            Container = ContainerMessages.ToWire(tenants.Of(context).Containers.Find(request.Id) ?? throw ContainerCatalogue.Missing(request.Id)),
        });

    public override Task<V1.ListContainersResponse> List(V1.ListContainersRequest request, ServerCallContext context) =>
        Task.FromResult(new V1.ListContainersResponse { Containers = { Matching(request, context) } });

    public override async Task ListStream(
        V1.ListContainersRequest request, IServerStreamWriter<V1.ListContainerMessage> responseStream, ServerCallContext context)
    {
        foreach (var container in Matching(request, context))
        {
            await responseStream.WriteAsync(new V1.ListContainerMessage { Container = container }, context.CancellationToken).ConfigureAwait(false);
        }
    }

    public override async Task<V1.CreateContainerResponse> Create(V1.CreateContainerRequest request, ServerCallContext context)
    {
        var wanted = ContainerMessages.FromWire(Required(request.Container));
        var tenant = await tenants.ForWritingAsync(context).ConfigureAwait(false);
        var made = ContainerMessages.ToWire(await tenant.Containers.CreateAsync(wanted, context.CancellationToken).ConfigureAwait(false));
        store.Changed(deletion: false);
        var runtime = new ContainerCreate.Types.Runtime { Name = made.Runtime.Name, Options = made.Runtime.Options };
        events.Publish(tenant.Namespace, Topics.ContainerCreate, new ContainerCreate { Id = made.Id, Image = made.Image, Runtime = runtime });
        return new V1.CreateContainerResponse { Container = made };
    }

    public override async Task<V1.UpdateContainerResponse> Update(V1.UpdateContainerRequest request, ServerCallContext context)
    {
        var wanted = Required(request.Container);
        var paths = FieldPaths.Of(request.UpdateMask);
        var tenant = tenants.Of(context);
        var updated = ContainerMessages.ToWire(await tenant.Containers.UpdateAsync(
            wanted.Id, before => ContainerMessages.Changed(before, wanted, paths), context.CancellationToken).ConfigureAwait(false));
        store.Changed(deletion: false);
        var happened = new ContainerUpdate { Id = updated.Id, Image = updated.Image, SnapshotKey = updated.SnapshotKey, Labels = { updated.Labels } };
        events.Publish(tenant.Namespace, Topics.ContainerUpdate, happened);
        return new V1.UpdateContainerResponse { Container = updated };
    }

    public override async Task<Empty> Delete(V1.DeleteContainerRequest request, ServerCallContext context)
    {
        var tenant = tenants.Of(context);
        await tenant.Containers.RemoveAsync(request.Id, context.CancellationToken).ConfigureAwait(false);
        store.Changed(deletion: true);
        events.Publish(tenant.Namespace, Topics.ContainerDelete, new ContainerDelete { Id = request.Id });
        return new Empty();
    }

    internal static FieldLookup FieldsOf(ContainerRecord container) => (IReadOnlyList<string> path, out string value) => path[0] switch
    {
        "id" => Fields.Text(container.Id, out value),
        "runtime" when path is [_, "name", ..] => Fields.Text(container.Runtime, out value),
        "image" => Fields.Text(container.Image, out value),
        "labels" => Fields.Label(path, container.Labels, out value),
        _ => Fields.None(out value),
    };

    private IEnumerable<V1.Container> Matching(V1.ListContainersRequest request, ServerCallContext context)
    {
        var filter = Filter.Parse(request.Filters);
        return tenants.Of(context).Containers.List().Where(container => filter.Matches(FieldsOf(container))).Select(ContainerMessages.ToWire);
    }

    private static V1.Container Required(V1.Container? container) => container is { Id.Length: > 0 }
        ? container
        : throw new ImageStoreException(ErrorKind.InvalidArgument, "The request names no container.");
}
