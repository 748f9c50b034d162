using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Events;
using ImageStore.Daemon.Filters;
using ImageStore.Daemon.Protocol.Happened;
using ImageStore.Engine.Serving;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Leases;
using V1 = ImageStore.Daemon.Protocol.SnapshotsV1;

namespace ImageStore.Daemon.Api;

/// <summary><c>containerd.services.snapshots.v1</c>.</summary>
internal sealed class SnapshotsService(ServedStore store, Tenants tenants, EventHub events) : V1.Snapshots.SnapshotsBase
{
    /// <summary>Names the committed snapshot that a client is about to make; where that is there, it need not.</summary>
    private const string TargetLabel = "containerd.io/snapshot.ref";

    public override async Task<V1.PrepareSnapshotResponse> Prepare(V1.PrepareSnapshotRequest request, ServerCallContext context)
    {
        var snapshotter = await OpenAsync(request.Snapshotter, context).ConfigureAwait(false);
        var labels = await KeepAsync(snapshotter, context, request.Key, request.Labels).ConfigureAwait(false);
        var mounts = await snapshotter.PrepareAsync(request.Key, OrNull(request.Parent), labels, context.CancellationToken).ConfigureAwait(false);
        store.Changed(deletion: false);
        var happened = new SnapshotPrepare { Key = request.Key, Parent = request.Parent, Snapshotter = snapshotter.Name };
        events.Publish(Tenants.NamespaceOf(context), Topics.SnapshotPrepare, happened);
        return new V1.PrepareSnapshotResponse { Mounts = { mounts.ToWire() } };
    }

    public override async Task<V1.ViewSnapshotResponse> View(V1.ViewSnapshotRequest request, ServerCallContext context)
    {
        var snapshotter = await OpenAsync(request.Snapshotter, context).ConfigureAwait(false);
        var labels = await KeepAsync(snapshotter, context, request.Key, request.Labels).ConfigureAwait(false);
        var mounts = await snapshotter.ViewAsync(request.Key, OrNull(request.Parent), labels, context.CancellationToken).ConfigureAwait(false);
        store.Changed(deletion: false);
        return new V1.ViewSnapshotResponse { Mounts = { mounts.ToWire() } };
    }

    public override async Task<V1.MountsResponse> Mounts(V1.MountsRequest request, ServerCallContext context)
    {
        var snapshotter = await OpenAsync(request.Snapshotter, context).ConfigureAwait(false);
        var mounts = await snapshotter.MountsAsync(request.Key, context.CancellationToken).ConfigureAwait(false);
        return new V1.MountsResponse { Mounts = { mounts.ToWire() } };
    }

    public override async Task<Empty> Commit(V1.CommitSnapshotRequest request, ServerCallContext context)
    {
        var snapshotter = await OpenAsync(request.Snapshotter, context).ConfigureAwait(false);
        if (request.Parent.Length > 0 && (await StatAsync(snapshotter, request.Key, context).ConfigureAwait(false)).Parent != request.Parent)
        {
            throw new ImageStoreException(
                ErrorKind.Unsupported, $"The snapshotter {snapshotter.Name} cannot give a snapshot another parent at its commit.", "Prepare it on that parent.");
        }

        var tenant = tenants.Of(context);
        var lease = Tenants.LeaseOf(context, tenant);
        if (lease is not null)
        {
            await tenant.Leases.AddAsync(lease, Resource(snapshotter, request.Name), context.CancellationToken).ConfigureAwait(false);
        }

        await snapshotter.CommitAsync(request.Name, request.Key, request.Labels, context.CancellationToken).ConfigureAwait(false);
        if (lease is not null)
        {
            await tenant.Leases.RemoveAsync(lease.Id, Resource(snapshotter, request.Key), CancellationToken.None).ConfigureAwait(false);
        }

        store.Changed(deletion: false);
        var happened = new SnapshotCommit { Key = request.Key, Name = request.Name, Snapshotter = snapshotter.Name };
        events.Publish(tenant.Namespace, Topics.SnapshotCommit, happened);
        return new Empty();
    }

    public override async Task<Empty> Remove(V1.RemoveSnapshotRequest request, ServerCallContext context)
    {
        var snapshotter = await OpenAsync(request.Snapshotter, context).ConfigureAwait(false);
        await snapshotter.RemoveAsync(request.Key, context.CancellationToken).ConfigureAwait(false);
        store.Changed(deletion: true);
        var happened = new SnapshotRemove { Key = request.Key, Snapshotter = snapshotter.Name };
        events.Publish(Tenants.NamespaceOf(context), Topics.SnapshotRemove, happened);
        return new Empty();
    }

    public override async Task<V1.StatSnapshotResponse> Stat(V1.StatSnapshotRequest request, ServerCallContext context)
    {
        var snapshotter = await OpenAsync(request.Snapshotter, context).ConfigureAwait(false);
        return new V1.StatSnapshotResponse { Info = ToWire(await StatAsync(snapshotter, request.Key, context).ConfigureAwait(false)) };
    }

    public override async Task<V1.UpdateSnapshotResponse> Update(V1.UpdateSnapshotRequest request, ServerCallContext context)
    {
        var snapshotter = await OpenAsync(request.Snapshotter, context).ConfigureAwait(false);
        var info = request.Info ?? throw new ImageStoreException(ErrorKind.InvalidArgument, "The request names no snapshot.");
        var update = FieldPaths.ToLabels(request.UpdateMask, info.Labels, "a snapshot").Keeping(Labels.Leased);
        var updated = await snapshotter.UpdateLabelsAsync(info.Name, update, context.CancellationToken).ConfigureAwait(false);
        store.Changed(deletion: false);
        return new V1.UpdateSnapshotResponse { Info = ToWire(updated) };
    }

    public override async Task List(
        V1.ListSnapshotsRequest request, IServerStreamWriter<V1.ListSnapshotsResponse> responseStream, ServerCallContext context)
    {
        var filter = Filter.Parse(request.Filters);
        var snapshotter = await OpenAsync(request.Snapshotter, context).ConfigureAwait(false);
        var all = await snapshotter.WalkAsync(context.CancellationToken).ConfigureAwait(false);
        foreach (var batch in all.Where(snapshot => filter.Matches(FieldsOf(snapshot))).Chunk(DaemonLimits.ListBatch))
        {
            var told = new V1.ListSnapshotsResponse { Info = { batch.Select(ToWire) } };
            await responseStream.WriteAsync(told, context.CancellationToken).ConfigureAwait(false);
        }
    }

    public override async Task<V1.UsageResponse> Usage(V1.UsageRequest request, ServerCallContext context)
    {
        var snapshotter = await OpenAsync(request.Snapshotter, context).ConfigureAwait(false);
        var usage = await snapshotter.UsageAsync(request.Key, context.CancellationToken).ConfigureAwait(false);
        return new V1.UsageResponse { Size = usage.Bytes, Inodes = usage.Inodes };
    }

    public override async Task<Empty> Cleanup(V1.CleanupRequest request, ServerCallContext context)
    {
        // Directories go with their snapshots, and those of a crash when a snapshotter is opened: what may be left is what nothing keeps.
        await OpenAsync(request.Snapshotter, context).ConfigureAwait(false);
        await store.CollectAsync(context.CancellationToken).ConfigureAwait(false);
        return new Empty();
    }

    private Task<ISnapshotter> OpenAsync(string name, ServerCallContext context) => name.Length > 0
        ? store.SnapshotterAsync(Tenants.NamespaceOf(context), name, context.CancellationToken)
        : throw new ImageStoreException(ErrorKind.InvalidArgument, "The request names no snapshotter.");

    /// <summary>Has the call's lease keep what it is about to make, or what it would make and is there already.</summary>
    /// <returns>The labels that it is to have.</returns>
    private async Task<Dictionary<string, string>> KeepAsync(ISnapshotter snapshotter, ServerCallContext context, string key, MapField<string, string> labels)
    {
        var tenant = await tenants.ForWritingAsync(context).ConfigureAwait(false);
        var known = labels.TryGetValue(TargetLabel, out var target) && target.Length > 0
            && await snapshotter.StatAsync(target, context.CancellationToken).ConfigureAwait(false) is not null;
        var all = new Dictionary<string, string>(labels, StringComparer.Ordinal);
        all.Remove(Labels.Leased);
        if (Tenants.LeaseOf(context, tenant) is { } lease)
        {
            await tenant.Leases.AddAsync(lease, Resource(snapshotter, known ? target! : key), context.CancellationToken).ConfigureAwait(false);
            all[Labels.Leased] = "true";
        }

        return known
            ? throw new ImageStoreException(ErrorKind.AlreadyExists, $"The snapshot {Printable.Of(target)} is there already.")
            : all;
    }

    private static async Task<SnapshotInfo> StatAsync(ISnapshotter snapshotter, string key, ServerCallContext context) =>
        await snapshotter.StatAsync(key, context.CancellationToken).ConfigureAwait(false)
            ?? throw new ImageStoreException(ErrorKind.NotFound, $"There is no snapshot {Printable.Of(key)} of {snapshotter.Name} in this namespace.");

    private static LeaseResource Resource(ISnapshotter snapshotter, string key) => new($"snapshots/{snapshotter.Name}", key);

    private static string? OrNull(string parent) => parent.Length > 0 ? parent : null;

    internal static FieldLookup FieldsOf(SnapshotInfo snapshot) => (IReadOnlyList<string> path, out string value) => path[0] switch
    {
        "kind" => Fields.Always(Word(snapshot.Kind), out value),
        "name" => Fields.Always(snapshot.Name, out value),
        "parent" => Fields.Always(snapshot.Parent ?? string.Empty, out value),
        "labels" => Fields.Label(path, snapshot.Labels, out value),
        _ => Fields.None(out value),
    };

    private static string Word(SnapshotKind kind) => kind switch
    {
        SnapshotKind.Active => "active",
        SnapshotKind.View => "view",
        _ => "committed",
    };

    private static V1.Info ToWire(SnapshotInfo snapshot)
    {
        var told = new V1.Info
        {
            Name = snapshot.Name,
            Parent = snapshot.Parent ?? string.Empty,
            Kind = snapshot.Kind switch
            {
                SnapshotKind.Active => V1.Kind.Active,
                SnapshotKind.View => V1.Kind.View,
                _ => V1.Kind.Committed,
            },
            CreatedAt = snapshot.CreatedAt.ToWire(),
            UpdatedAt = snapshot.UpdatedAt.ToWire(),
        };
        snapshot.Labels.AddTo(told.Labels);
        told.Labels.Remove(Labels.Leased);
        return told;
    }
}
