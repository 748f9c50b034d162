using ImageStore.Snapshotters.Erofs;
using ImageStore.Snapshotters.Native;
using ImageStore.Snapshotters.Overlay;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>Opens snapshotters.</summary>
public static class SnapshotterFactory
{
    /// <summary>The snapshotter that every filesystem can do.</summary>
    public const string Native = NativeSnapshotter.SnapshotterName;

    /// <summary>The snapshotter that clients of containerd take to be there.</summary>
    public const string Default = OverlaySnapshotter.SnapshotterName;

    private static readonly string[] s_names =
        [OverlaySnapshotter.SnapshotterName, NativeSnapshotter.SnapshotterName, ErofsSnapshotter.SnapshotterName];

    /// <summary>The names of all snapshotters.</summary>
    public static IReadOnlyList<string> Names => s_names;

    /// <summary>How many snapshots each snapshotter has in a namespace, without opening any.</summary>
    public static IReadOnlyDictionary<string, int> Counts(string namespaceName, MetadataDb metadata) =>
        s_names.ToDictionary(
            kind => kind, kind => SnapshotCatalogue.Count(metadata, namespaceName, kind), StringComparer.Ordinal);

    /// <summary>The keys of a namespace's active snapshots, of every snapshotter, without opening any.</summary>
    public static IReadOnlyList<string> ActiveKeys(string namespaceName, MetadataDb metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return [.. metadata.List(SnapshotCatalogue.Table, namespaceName + "/")
            .Where(row => row.Value.Kind == SnapshotKind.Active)
            .Select(row => row.Key.Split('/', 3)[2]).Order(StringComparer.Ordinal)];
    }

    /// <summary>The snapshots of all snapshotters and namespaces for the collector, without opening any.</summary>
    /// <param name="rootDirectory">The store's root.</param>
    /// <param name="budget">How much is deleted before a removal returns; <see cref="RemovedTrees"/> has the rest.</param>
    public static IResourceTable Resources(string rootDirectory, RemovalBudget budget) => new SnapshotTable(rootDirectory, budget);

    /// <summary>Forgets active snapshots and views of every namespace and snapshotter whose keys begin with <paramref name="keyPrefix"/>; their directories are
    /// swept when a snapshotter is opened.</summary>
    /// <remarks>For the process that holds the root and has not begun any itself: whoever made them is dead.</remarks>
    public static async Task DiscardAsync(MetadataDb metadata, string keyPrefix, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        var left = metadata.List(SnapshotCatalogue.Table, string.Empty)
            .Where(row => row.Value.Kind != SnapshotKind.Committed && row.Key.Split('/', 3) is [_, _, var key] && key.StartsWith(keyPrefix, StringComparison.Ordinal))
            .Select(row => row.Key).ToList();
        if (left.Count > 0)
        {
            await metadata.CommitAsync(
                tx => left.ForEach(key => tx.Delete(SnapshotCatalogue.Table, key)), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Opens a snapshotter for one namespace and repairs what a crash left behind.</summary>
    /// <param name="name"><c>overlayfs</c>, <c>native</c>, <c>erofs</c>, or null for overlayfs where it works and native elsewhere.</param>
    /// <param name="rootDirectory">The store's root; the snapshots lie below <c>snapshots</c>.</param>
    /// <param name="namespaceName">The namespace whose snapshots are seen.</param>
    /// <param name="metadata">Where the rows are kept.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels the opening.</param>
    /// <exception cref="ImageStoreException">The name is unknown, or the snapshotter does not work there.</exception>
    public static Task<ISnapshotter> OpenAsync(
        string? name, string rootDirectory, string namespaceName, MetadataDb metadata, TimeProvider time, CancellationToken cancellationToken) =>
        OpenAsync(name, rootDirectory, namespaceName, metadata, new SnapshotterOptions(), time, cancellationToken);

    /// <summary>Does the same, with what the configuration says.</summary>
    /// <exception cref="ImageStoreException">The name is unknown, or the snapshotter does not work there or not so.</exception>
    public static async Task<ISnapshotter> OpenAsync(
        string? name,
        string rootDirectory,
        string namespaceName,
        MetadataDb metadata,
        SnapshotterOptions options,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (string.IsNullOrEmpty(namespaceName) || namespaceName.Contains('/', StringComparison.Ordinal))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(namespaceName)}' is not a namespace.",
                "Use letters, digits, dots, dashes and underscores.");
        }

        if (name is not null && !s_names.Contains(name))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"There is no snapshotter '{Printable.Of(name)}'.", $"Use {string.Join(", ", s_names)}.");
        }

        switch (name)
        {
            case NativeSnapshotter.SnapshotterName:
                break;
            case ErofsSnapshotter.SnapshotterName:
                return await OpenErofsAsync().ConfigureAwait(false);
            default:
                var (overlay, reason) = await TryOverlayAsync().ConfigureAwait(false);
                if (overlay is not null)
                {
                    return overlay;
                }

                if (name is null)
                {
                    break;
                }

                throw new ImageStoreException(
                    ErrorKind.Unsupported,
                    $"overlayfs does not work in {new SnapshotDirectories(rootDirectory, name).Root}: {reason}.",
                    "Put the root on ext4 or on XFS made with ftype=1, or use the native snapshotter.");
        }

        var (catalogue, directories) = await RecoverAsync(NativeSnapshotter.SnapshotterName).ConfigureAwait(false);
        return new NativeSnapshotter(catalogue, directories);

        bool HasOnlyNative() => Counts(namespaceName, metadata) is var counts
            && counts[NativeSnapshotter.SnapshotterName] > 0 && counts[OverlaySnapshotter.SnapshotterName] == 0;

        async Task<(ISnapshotter? Snapshotter, string? Reason)> TryOverlayAsync()
        {
            var place = new SnapshotDirectories(rootDirectory, OverlaySnapshotter.SnapshotterName);
            var (features, reason) = await OverlayProbe.RunAsync(place, cancellationToken).ConfigureAwait(false);
            if (features is null)
            {
                return (null, reason);
            }

            if (name is null && !features.IsTried && HasOnlyNative())
            {
                return (null, null);
            }

            var (rows, recovered) = await RecoverAsync(OverlaySnapshotter.SnapshotterName).ConfigureAwait(false);
            var chosen = await OverlayProbe.ChooseAsync(recovered, features, options.Overlay, cancellationToken).ConfigureAwait(false);
            return (new OverlaySnapshotter(rows, recovered, chosen, options.Overlay), null);
        }

        async Task<ISnapshotter> OpenErofsAsync()
        {
            var place = new SnapshotDirectories(rootDirectory, ErofsSnapshotter.SnapshotterName);
            var (features, reason) = await OverlayProbe.RunAsync(place, cancellationToken).ConfigureAwait(false);
            LayerMounts? mounts = null;
            if (features is not null)
            {
                (mounts, reason) = ErofsProbe.Run(place, features);
            }

            if (features is null || mounts is null)
            {
                throw new ImageStoreException(
                    ErrorKind.Unsupported,
                    $"EROFS does not work in {place.Root}: {reason}.",
                    "It needs root, Linux 5.16 with EROFS (modprobe erofs) and overlayfs; or use another snapshotter.");
            }

            var (rows, recovered) = await RecoverAsync(ErofsSnapshotter.SnapshotterName).ConfigureAwait(false);
            mounts.Sweep(rows.IdsBelowActive);
            return new ErofsSnapshotter(rows, recovered, features, mounts, options.Erofs);
        }

        async Task<(SnapshotCatalogue Catalogue, SnapshotDirectories Directories)> RecoverAsync(string kind)
        {
            var rows = new SnapshotCatalogue(metadata, namespaceName, kind, time);
            var place = new SnapshotDirectories(rootDirectory, kind);
            await SnapshotRecovery.RunAsync(rows, place, cancellationToken).ConfigureAwait(false);
            return (rows, place);
        }
    }
}
