using ImageStore.Engine.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Images;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Diff;

/// <summary>Finds the snapshot that a user means: by its key, by the directory that it is mounted on, or as an image's.</summary>
internal sealed class SnapshotFinder(ISnapshotter snapshotter, Func<string, ImageRecord?> findImage, Func<string, Task<Digest>> unpack)
{
    /// <summary>The snapshot's key or name.</summary>
    /// <exception cref="ImageStoreException">There is nothing of that name (<see cref="ErrorKind.NotFound"/>).</exception>
    public async Task<string> FindAsync(string text, CancellationToken cancellationToken)
    {
        if (await FindSnapshotAsync(text, cancellationToken).ConfigureAwait(false) is { } key)
        {
            return key;
        }

        return findImage(text) is not null
            ? (await unpack(text).ConfigureAwait(false)).ToString()
            : throw Missing(text, "snapshot, mounted directory or image");
    }

    /// <summary>The same where an image does not do.</summary>
    /// <exception cref="ImageStoreException">There is none (<see cref="ErrorKind.NotFound"/>).</exception>
    public async Task<string> FindOwnAsync(string text, CancellationToken cancellationToken) =>
        await FindSnapshotAsync(text, cancellationToken).ConfigureAwait(false) ?? throw Missing(text, "snapshot or mounted directory");

    private async Task<string?> FindSnapshotAsync(string text, CancellationToken cancellationToken)
    {
        foreach (var key in text.StartsWith('/') || Directory.Exists(text) ? [text, ImageMounts.Key(Path.GetFullPath(text))] : new[] { text })
        {
            if (await snapshotter.StatAsync(key, cancellationToken).ConfigureAwait(false) is not null)
            {
                return key;
            }
        }

        return null;
    }

    private ImageStoreException Missing(string text, string what) => new(
        ErrorKind.NotFound,
        $"There is no {what} '{Printable.Of(text)}' for the snapshotter {snapshotter.Name}.",
        "'imagestore snapshots ls' and 'imagestore images ls' show what is there.");
}
