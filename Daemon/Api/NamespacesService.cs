using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Authorization;
using ImageStore.Daemon.Events;
using ImageStore.Daemon.Filters;
using ImageStore.Daemon.Protocol.Happened;
using ImageStore.Engine.Configuration;
using ImageStore.Engine.Serving;
using ImageStore.Store.Errors;
using ImageStore.Store.Namespaces;
using V1 = ImageStore.Daemon.Protocol.NamespacesV1;

namespace ImageStore.Daemon.Api;

/// <summary><c>containerd.services.namespaces.v1</c>.</summary>
internal sealed class NamespacesService(ServedStore store, EventHub events) : V1.Namespaces.NamespacesBase
{
    public override Task<V1.GetNamespaceResponse> Get(V1.GetNamespaceRequest request, ServerCallContext context) => Task.FromResult(
        new V1.GetNamespaceResponse
        {
            Namespace = ToWire(store.Namespaces.Find(request.Name) ?? throw NamespaceCatalogue.Missing(request.Name)),
        });

    public override Task<V1.ListNamespacesResponse> List(V1.ListNamespacesRequest request, ServerCallContext context)
    {
        var filter = Filter.Parse([request.Filter]);
        var caller = Caller.Of(context);
        return Task.FromResult(new V1.ListNamespacesResponse
        {
            Namespaces = { store.Namespaces.List().Where(one => caller.May(one.Name, AccessRights.Read) && filter.Matches(FieldsOf(one))).Select(ToWire) },
        });
    }

    public override async Task<V1.CreateNamespaceResponse> Create(V1.CreateNamespaceRequest request, ServerCallContext context)
    {
        var wanted = Required(request.Namespace);
        var made = await store.Namespaces.CreateAsync(wanted.Name, wanted.Labels, context.CancellationToken).ConfigureAwait(false);
        events.PublishCreated(made);
        return new V1.CreateNamespaceResponse { Namespace = ToWire(made) };
    }

    public override async Task<V1.UpdateNamespaceResponse> Update(V1.UpdateNamespaceRequest request, ServerCallContext context)
    {
        var wanted = Required(request.Namespace);
        var update = FieldPaths.ToLabels(request.UpdateMask, wanted.Labels, "a namespace");
        var updated = await store.Namespaces.UpdateLabelsAsync(wanted.Name, update, context.CancellationToken).ConfigureAwait(false);
        var happened = new NamespaceUpdate { Name = updated.Name };
        updated.Labels.AddTo(happened.Labels);
        events.Publish(updated.Name, Topics.NamespaceUpdate, happened);
        return new V1.UpdateNamespaceResponse { Namespace = ToWire(updated) };
    }

    public override async Task<Empty> Delete(V1.DeleteNamespaceRequest request, ServerCallContext context)
    {
        await store.Namespaces.RemoveAsync(request.Name, context.CancellationToken).ConfigureAwait(false);
        events.Publish(request.Name, Topics.NamespaceDelete, new NamespaceDelete { Name = request.Name });
        return new Empty();
    }

    private static V1.Namespace Required(V1.Namespace? named) =>
        named ?? throw new ImageStoreException(ErrorKind.InvalidArgument, "The request names no namespace.");

    private static V1.Namespace ToWire(NamespaceRecord record)
    {
        var told = new V1.Namespace { Name = record.Name };
        record.Labels.AddTo(told.Labels);
        return told;
    }

    private static FieldLookup FieldsOf(NamespaceRecord record) => (IReadOnlyList<string> path, out string value) => path[0] switch
    {
        "name" => Fields.Text(record.Name, out value),
        "labels" => Fields.Label(path, record.Labels, out value),
        _ => Fields.None(out value),
    };
}
