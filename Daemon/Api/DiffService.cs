using Grpc.Core;
using ImageStore.Daemon.Authorization;
using ImageStore.Engine.Serving;
using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using V1 = ImageStore.Daemon.Protocol.DiffV1;

namespace ImageStore.Daemon.Api;

/// <summary><c>containerd.services.diff.v1</c>.</summary>
internal sealed class DiffService(ServedStore store, Tenants tenants) : V1.Diff.DiffBase
{
    public override async Task<V1.ApplyResponse> Apply(V1.ApplyRequest request, ServerCallContext context)
    {
        var layer = request.Diff.FromWire("The layer");
        var layers = store.Layers(Tenants.NamespaceOf(context));
        var mounts = request.Mounts.FromWire();
        await CheckAsync(layers, mounts, context).ConfigureAwait(false);
        var applied = await layers.ApplyAsync(layer, mounts, request.SyncFs, context.CancellationToken).ConfigureAwait(false);
        return new V1.ApplyResponse { Applied = applied.ToWire() };
    }

    public override async Task<V1.DiffResponse> Diff(V1.DiffRequest request, ServerCallContext context)
    {
        var tenant = await tenants.ForWritingAsync(context).ConfigureAwait(false);
        var options = new DiffOptions
        {
            Compression = CompressionOf(request.MediaType), LatestTime = request.SourceDateEpoch.FromWire()?.ToUnixTimeSeconds(),
        };
        var layers = store.Layers(tenant.Namespace);
        var (left, right) = (request.Left.FromWire(), request.Right.FromWire());
        await CheckAsync(layers, left, context).ConfigureAwait(false);
        await CheckAsync(layers, right, context).ConfigureAwait(false);
        var made = await layers.DiffAsync(
            left,
            right,
            options,
            request.Ref.Length > 0 ? request.Ref : null,
            request.Labels,
            Tenants.LeaseOf(context, tenant),
            context.CancellationToken).ConfigureAwait(false);
        store.Changed(deletion: false);
        return new V1.DiffResponse { Diff = (made with { MediaType = request.MediaType.Length > 0 ? request.MediaType : made.MediaType }).ToWire() };
    }

    // Mounts are directories of this machine, which are read and written as root.
    private static async Task CheckAsync(ServedLayers layers, IReadOnlyList<Mount> mounts, ServerCallContext context)
    {
        var caller = Caller.Of(context);
        if (!caller.MayEverything && mounts.Count > 0 && !await layers.IsOursAsync(mounts, context.CancellationToken).ConfigureAwait(false))
        {
            throw Denial.Mounts(caller, Tenants.NamespaceOf(context));
        }
    }

    internal static CompressionChoice CompressionOf(string mediaType) => mediaType switch
    {
        "" or MediaTypes.OciLayerGzip or MediaTypes.DockerLayerGzip => CompressionChoice.Default,
        MediaTypes.OciLayerZstd or MediaTypes.DockerLayerZstd => CompressionChoice.Zstd,
        MediaTypes.OciLayer or MediaTypes.DockerLayer => CompressionChoice.None,
        _ => throw new ImageStoreException(
            ErrorKind.Unsupported, $"No layer of the type '{Printable.Of(mediaType)}' can be made.", "Ask for a tar, as it is or with gzip or zstd."),
    };
}
