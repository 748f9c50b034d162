using System.Globalization;
using ImageStore.Store.Metadata;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>Where snapshots lie, of all snapshotters and namespaces, without opening any.</summary>
public static class SnapshotPlaces
{
    /// <summary>The directory that a snapshotter has in a root, whether it is there or not.</summary>
    public static string FolderOf(string rootDirectory, string snapshotter) => Path.Combine(rootDirectory, SnapshotDirectories.FolderName, snapshotter);

    /// <summary>The folder within a snapshot's that has its files.</summary>
    public const string FilesName = "fs";

    /// <summary>A committed snapshot's image, where its snapshotter keeps one.</summary>
    public const string ImageName = "layer.erofs";

    /// <summary>Where the image is mounted while it is.</summary>
    internal const string MountedName = "mounted";

    /// <summary>All that there are rows of.</summary>
    public static IReadOnlyList<SnapshotPlace> All(string rootDirectory, IMetadataReader rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return
        [
            .. rows.List(SnapshotCatalogue.Table, string.Empty).Select(row => (Key: row.Key.Split('/', 3), Row: row.Value))
                .Select(one => new SnapshotPlace(
                    one.Key[0], one.Key[1], one.Key[2], one.Row.Parent, one.Row.Kind == SnapshotKind.Committed,
                    SnapshotDirectories.Of(rootDirectory, one.Key[1], one.Row.Id)) { ImageDigest = one.Row.ImageDigest }),
        ];
    }

    /// <summary>The folders that are there, whether a row names them or not.</summary>
    public static IEnumerable<string> Folders(string rootDirectory)
    {
        var all = Path.Combine(rootDirectory, SnapshotDirectories.FolderName);
        return Directory.Exists(all)
            ? Directory.EnumerateDirectories(all).SelectMany(Directory.EnumerateDirectories)
                .Where(folder => long.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out _)
                    || Path.GetFileName(folder).StartsWith(SnapshotDirectories.RemovingPrefix, StringComparison.Ordinal))
            : [];
    }

    /// <summary>Has new snapshots take numbers that no folder has, whatever the metadata knows: after it was rebuilt from an older one.</summary>
    public static async Task ReserveIdsAsync(string rootDirectory, MetadataDb metadata, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        foreach (var folders in Folders(rootDirectory).GroupBy(folder => Path.GetFileName(Path.GetDirectoryName(folder)!)))
        {
            var most = folders.Max(folder => long.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0);
            await SnapshotCatalogue.ReserveAsync(metadata, folders.Key, most, cancellationToken).ConfigureAwait(false);
        }
    }
}

/// <summary>A snapshot and its folder.</summary>
/// <param name="Namespace">Whose it is.</param>
/// <param name="Snapshotter">Which snapshotter keeps it.</param>
/// <param name="Name">Its name or key.</param>
/// <param name="Parent">The snapshot that it stands on, or null.</param>
/// <param name="IsCommitted">Is it committed? Else somebody writes to it or looks at it.</param>
/// <param name="Directory">The folder.</param>
public sealed record SnapshotPlace(string Namespace, string Snapshotter, string Name, string? Parent, bool IsCommitted, string Directory)
{
    /// <summary>The digest that its image had when it was committed, where one is kept.</summary>
    public string? ImageDigest { get; init; }

    /// <summary>Is it kept as an image?</summary>
    public bool IsImage => IsCommitted && Snapshotter == Erofs.ErofsSnapshotter.SnapshotterName;

    /// <summary>Are its files, or its image, there?</summary>
    public bool IsThere() => IsImage
        ? File.Exists(Path.Combine(Directory, SnapshotPlaces.ImageName))
        : System.IO.Directory.Exists(Path.Combine(Directory, SnapshotPlaces.FilesName));
}
