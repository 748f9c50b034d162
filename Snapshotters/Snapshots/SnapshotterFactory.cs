using ImageStore.Snapshotters.Native;
using ImageStore.Snapshotters.Overlay;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>Opens snapshotters.</summary>
public static class SnapshotterFactory
{
    /// <summary>How many snapshots each snapshotter has in a namespace, without opening any.</summary>
    public static IReadOnlyDictionary<string, int> Counts(string namespaceName, MetadataDb metadata) =>
        new[] { OverlaySnapshotter.SnapshotterName, NativeSnapshotter.SnapshotterName }.ToDictionary(
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
    /// <param name="name"><c>overlayfs</c>, <c>native</c>, or null for overlayfs where it works and native elsewhere.</param>
    /// <param name="rootDirectory">The store's root; the snapshots lie below <c>snapshots</c>.</param>
    /// <param name="namespaceName">The namespace whose snapshots are seen.</param>
    /// <param name="metadata">Where the rows are kept.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels the opening.</param>
    /// <exception cref="ImageStoreException">The name is unknown, or overlayfs does not work there.</exception>
    public static Task<ISnapshotter> OpenAsync(
        string? name,
        string rootDirectory,
        string namespaceName,
        MetadataDb metadata,
        TimeProvider time,
        CancellationToken cancellationToken) =>
        OpenAsync(name, rootDirectory, namespaceName, metadata, new OverlayOptions(), time, cancellationToken);

    /// <summary>Does as the other, with what the user chose for overlayfs.</summary>
    /// <exception cref="ImageStoreException">The name is unknown, or overlayfs does not work there or not so.</exception>
    public static async Task<ISnapshotter> OpenAsync(
        string? name,
        string rootDirectory,
        string namespaceName,
        MetadataDb metadata,
        OverlayOptions overlay,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(overlay);
        if (string.IsNullOrEmpty(namespaceName) || namespaceName.Contains('/', StringComparison.Ordinal))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(namespaceName)}' is not a namespace.",
                "Use letters, digits, dots, dashes and underscores.");
        }

        if (name is not (null or OverlaySnapshotter.SnapshotterName or NativeSnapshotter.SnapshotterName))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"There is no snapshotter '{Printable.Of(name)}'.",
                $"Use {OverlaySnapshotter.SnapshotterName} or {NativeSnapshotter.SnapshotterName}.");
        }

        if (name != NativeSnapshotter.SnapshotterName)
        {
            var directories = new SnapshotDirectories(rootDirectory, OverlaySnapshotter.SnapshotterName);
            var (features, reason) = await OverlayProbe.RunAsync(directories, cancellationToken).ConfigureAwait(false);
            if (features is not null)
            {
                var catalogue = Catalogue(OverlaySnapshotter.SnapshotterName);
                await SnapshotRecovery.RunAsync(catalogue, directories, cancellationToken).ConfigureAwait(false);
                var chosen = await OverlayProbe.ChooseAsync(directories, features, overlay, cancellationToken).ConfigureAwait(false);
                return new OverlaySnapshotter(catalogue, directories, chosen, overlay);
            }

            if (name is not null)
            {
                throw new ImageStoreException(
                    ErrorKind.Unsupported,
                    $"overlayfs does not work in {directories.Root}: {reason}.",
                    "Put the root on ext4 or on XFS made with ftype=1, or use the native snapshotter.");
            }
        }

        var nativeDirectories = new SnapshotDirectories(rootDirectory, NativeSnapshotter.SnapshotterName);
        var nativeCatalogue = Catalogue(NativeSnapshotter.SnapshotterName);
        await SnapshotRecovery.RunAsync(nativeCatalogue, nativeDirectories, cancellationToken).ConfigureAwait(false);
        return new NativeSnapshotter(nativeCatalogue, nativeDirectories);

        SnapshotCatalogue Catalogue(string kind) => new(metadata, namespaceName, kind, time);
    }
}
