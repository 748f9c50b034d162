using System.Globalization;
using System.Text.Json.Nodes;
using ImageStore.Engine.Diff;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Commit;

/// <summary>Makes an image of what a snapshot changed: a layer, a configuration, a manifest, a name.</summary>
/// <remarks>What can be wrong with the request is found before anything is written; a lease keeps what comes until the name does.</remarks>
internal sealed class ImageCommit(
    Tenant tenant, ISnapshotter snapshotter, LayerLimits limits, Func<string, ImageRecord> findImage, TimeProvider time)
{
    private const string CreatedBy = "imagestore commit";

    public async Task<CommitResult> RunAsync(CommitRequest request, string key, CancellationToken cancellationToken)
    {
        var name = ImageNames.ForNew(request.Name);
        var changes = ConfigChanges.Parse(request.Changes);
        var trees = await DiffTrees.OpenAsync(snapshotter, key, null, cancellationToken).ConfigureAwait(false);
        await using var held = trees.ConfigureAwait(false);
        var snapshot = await snapshotter.StatAsync(key, cancellationToken).ConfigureAwait(false);
        if (snapshot is { Kind: SnapshotKind.View })
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition, $"{Printable.Of(request.Snapshot)} is read-only, so nothing in it was changed.", "Mount the image with --rw.");
        }

        var parent = snapshot?.Parent;
        var lease = await tenant.Leases.CreateForAsync("commit", cancellationToken).ConfigureAwait(false);
        try
        {
            var image = await BaseAsync(request, parent, lease, cancellationToken).ConfigureAwait(false);
            var made = request.Timestamp ?? time.GetUtcNow();
            var config = image?.Config ?? Fresh();
            changes.ApplyTo(config);
            var options = new DiffOptions
            {
                Compression = request.Compression, LatestTime = request.Timestamp?.ToUnixTimeSeconds(), Limits = limits,
            };
            var layer = await LayerBlob.WriteAsync(
                tenant.Content, new LayerBlobRequest(trees.Lower, trees.Upper, options) { Lease = lease }, cancellationToken).ConfigureAwait(false);
            Describe(config, image, layer.Diff.DiffId, request, made);
            var target = await new ImageAssembler(tenant).PutAsync(
                name, config, [.. image?.Manifest.Layers ?? [], layer.Descriptor], ImageAssembler.Annotate(image), lease, cancellationToken)
                .ConfigureAwait(false);
            return new CommitResult(name, target, layer.Descriptor, layer.Diff.DiffId, layer.Diff.Entries, image?.Name);
        }
        finally
        {
            await tenant.Leases.DeleteAsync(lease.Id, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task<BaseImage?> BaseAsync(
        CommitRequest request, string? parent, Lease lease, CancellationToken cancellationToken)
    {
        if (parent is null)
        {
            return request.Base is null ? null : throw new ImageStoreException(
                ErrorKind.FailedPrecondition, $"The snapshot stands on nothing, and not on {Printable.Of(request.Base)}.", "Leave --base out.");
        }

        var finder = new BaseFinder(tenant);
        var found = await FindAsync().ConfigureAwait(false);
        await tenant.Leases.AddAsync(
            lease,
            [new LeaseResource("content", found.Target.Digest.ToString()), new LeaseResource($"snapshots/{snapshotter.Name}", parent)],
            cancellationToken).ConfigureAwait(false);

        // Again, now that nothing of it can go: a collection may just have taken a part.
        return await FindAsync().ConfigureAwait(false);

        Task<BaseImage> FindAsync() => request.Base is { } given
            ? finder.FindInAsync(findImage(given), parent, cancellationToken)
            : finder.FindAsync(parent, snapshotter.Name, cancellationToken);
    }

    private static JsonObject Fresh()
    {
        var config = new JsonObject { ["architecture"] = Platform.Current.Architecture, ["os"] = Platform.Current.Os };
        if (Platform.Current.Variant is { } variant)
        {
            config["variant"] = variant;
        }

        return config;
    }

    private static void Describe(JsonObject config, BaseImage? image, Digest diffId, CommitRequest request, DateTimeOffset made)
    {
        var created = made.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var entry = new JsonObject { ["created"] = created, ["created_by"] = CreatedBy };
        if (request.Author is { } author)
        {
            config["author"] = author;
            entry["author"] = author;
        }

        if (request.Message is { } message)
        {
            entry["comment"] = message;
        }

        config["created"] = created;

        // They are of the container that Docker built the base in.
        config.Remove("container");
        config.Remove("container_config");
        var before = image?.DiffIds ?? [];
        ConfigHistory.Set(config, before.Append(diffId), ConfigHistory.Of(config, before.Count).Append(entry));
    }
}
