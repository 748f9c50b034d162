using System.Security.Cryptography;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Filters;
using ImageStore.Engine.Serving;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;
using V1 = ImageStore.Daemon.Protocol.LeasesV1;

namespace ImageStore.Daemon.Api;

/// <summary><c>containerd.services.leases.v1</c>.</summary>
internal sealed class LeasesService(ServedStore store, Tenants tenants) : V1.Leases.LeasesBase
{
    private const int RandomIdBytes = 12;

    public override async Task<V1.CreateResponse> Create(V1.CreateRequest request, ServerCallContext context)
    {
        var tenant = await tenants.ForWritingAsync(context).ConfigureAwait(false);
        var id = request.Id.Length > 0 ? request.Id : $"lease-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(RandomIdBytes))}";
        var made = await tenant.Leases.CreateAsync(id, null, request.Labels, context.CancellationToken).ConfigureAwait(false);

        // It may end before all that there is by now.
        store.Changed(deletion: false);
        return new V1.CreateResponse { Lease = ToWire(made) };
    }

    public override async Task<Empty> Delete(V1.DeleteRequest request, ServerCallContext context)
    {
        if (!await tenants.Of(context).Leases.DeleteAsync(request.Id, context.CancellationToken).ConfigureAwait(false))
        {
            throw Tenants.MissingLease(request.Id);
        }

        store.Changed(deletion: true);
        if (request.Sync)
        {
            await store.CollectAsync(context.CancellationToken).ConfigureAwait(false);
        }

        return new Empty();
    }

    public override Task<V1.ListResponse> List(V1.ListRequest request, ServerCallContext context)
    {
        var filter = Filter.Parse(request.Filters);
        var found = tenants.Of(context).Leases.List().Where(lease => filter.Matches(FieldsOf(lease)));
        return Task.FromResult(new V1.ListResponse { Leases = { found.Select(ToWire) } });
    }

    public override async Task<Empty> AddResource(V1.AddResourceRequest request, ServerCallContext context)
    {
        var tenant = tenants.Of(context);
        await tenant.Leases.AddAsync(Find(tenant, request.Id), Checked(request.Resource), context.CancellationToken).ConfigureAwait(false);
        return new Empty();
    }

    public override async Task<Empty> DeleteResource(V1.DeleteResourceRequest request, ServerCallContext context)
    {
        var tenant = tenants.Of(context);
        var resource = Checked(request.Resource);
        await tenant.Leases.RemoveAsync(Find(tenant, request.Id).Id, resource, context.CancellationToken).ConfigureAwait(false);
        store.Changed(deletion: true);
        return new Empty();
    }

    public override Task<V1.ListResourcesResponse> ListResources(V1.ListResourcesRequest request, ServerCallContext context)
    {
        var tenant = tenants.Of(context);
        var held = tenant.Leases.Resources(Find(tenant, request.Id).Id);
        return Task.FromResult(new V1.ListResourcesResponse
        {
            Resources = { held.Select(one => new V1.Resource { Id = one.Id, Type = one.Type }) },
        });
    }

    private static Lease Find(Tenant tenant, string id) => tenant.Leases.Find(id) ?? throw Tenants.MissingLease(id);

    private static LeaseResource Checked(V1.Resource? resource)
    {
        switch (resource?.Type.Split('/', 2))
        {
            case ["content"]:
                Digest.Parse(resource.Id);
                break;
            case ["images" or "ingests"]:
            case ["snapshots", { Length: > 0 }]:
                break;
            default:
                throw new ImageStoreException(
                    ErrorKind.Unsupported,
                    $"'{Printable.Of(resource?.Type)}' is no kind of resource that a lease can keep.",
                    "There are content, images, ingests and snapshots/SNAPSHOTTER.");
        }

        return new LeaseResource(resource.Type, resource.Id);
    }

    private static V1.Lease ToWire(Lease lease)
    {
        var told = new V1.Lease { Id = lease.Id, CreatedAt = lease.CreatedAt.ToWire() };
        lease.Labels.AddTo(told.Labels);
        return told;
    }

    private static FieldLookup FieldsOf(Lease lease) => (IReadOnlyList<string> path, out string value) => path[0] switch
    {
        "id" => Fields.Text(lease.Id, out value),
        "labels" => Fields.Label(path, lease.Labels, out value),
        _ => Fields.None(out value),
    };
}
