using ImageStore.Engine.Pull;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Commit;

/// <summary>Finds the image that a snapshot stands on.</summary>
internal sealed class BaseFinder(Tenant tenant)
{
    private const string ConfigLabel = Labels.RefContentPrefix + "config";

    /// <summary>The image whose topmost layer is the snapshot <paramref name="parent"/>, as the labels of unpacking tell.</summary>
    /// <exception cref="ImageStoreException">There is none (<see cref="ErrorKind.NotFound"/>), or several that differ
    /// (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public async Task<BaseImage> FindAsync(string parent, string snapshotter, CancellationToken cancellationToken)
    {
        var blobs = tenant.Content.List();
        var configs = blobs.Where(blob => blob.Labels.GetValueOrDefault(Labels.RefSnapshotPrefix + snapshotter) == parent)
            .Select(blob => blob.Digest.ToString()).ToHashSet(StringComparer.Ordinal);
        List<BaseImage> found = [];
        foreach (var blob in blobs.Where(blob => configs.Contains(blob.Labels.GetValueOrDefault(ConfigLabel) ?? string.Empty)))
        {
            var target = await DescribeAsync(blob.Digest, cancellationToken).ConfigureAwait(false);
            if (await new StoredImage(tenant.Content).FindManifestAsync(target, Platform.Current, cancellationToken).ConfigureAwait(false) is { } manifest)
            {
                found.Add(await BaseImage.ReadAsync(tenant.Content, NameOf(blob.Digest), manifest, cancellationToken).ConfigureAwait(false));
            }
        }

        return found.DistinctBy(image => image.Manifest.Config.Digest).ToList() switch
        {
            [] => throw new ImageStoreException(
                ErrorKind.NotFound,
                $"No image of the store has its topmost layer in the snapshot '{Printable.Of(parent)}'.",
                "Name the image that the snapshot stands on with --base, and pull it if it is not there."),
            [_] => found.OrderBy(image => image.Name is null).ThenBy(image => image.Name, StringComparer.Ordinal).First(),
            var several => throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"Several images have the same filesystem: {string.Join(", ", several.Select(image => Printable.Of(image.Name ?? image.Target.Digest.ToString())))}.",
                "Choose one with --base."),
        };
    }

    /// <summary>The manifest of <paramref name="image"/> whose topmost layer is the snapshot <paramref name="parent"/>.</summary>
    /// <exception cref="ImageStoreException">It has none (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public async Task<BaseImage> FindInAsync(ImageRecord image, string parent, CancellationToken cancellationToken)
    {
        foreach (var manifest in (await new StoredImage(tenant.Content).ManifestsAsync(image.Target, cancellationToken).ConfigureAwait(false)).Found)
        {
            if (StoredImage.IsFilesystem(manifest.Manifest) && new StoredImage(tenant.Content).IsComplete(manifest.Manifest)
                && await BaseImage.ReadAsync(tenant.Content, image.Name, manifest, cancellationToken).ConfigureAwait(false) is var read
                && read.ChainId.ToString() == parent)
            {
                return read;
            }
        }

        throw new ImageStoreException(
            ErrorKind.FailedPrecondition,
            $"The snapshot does not stand on {Printable.Of(image.Name)}: its parent is '{Printable.Of(parent)}'.",
            "Name the image that it was prepared on, or leave --base out.");
    }

    /// <summary>What a user names: an image, or a manifest by its digest.</summary>
    /// <exception cref="ImageStoreException">The store does not have it (<see cref="ErrorKind.NotFound"/>).</exception>
    public async Task<(string? Name, Descriptor Target)> ResolveAsync(
        string reference, Func<string, ImageRecord> findImage, CancellationToken cancellationToken)
    {
        var at = reference.IndexOf('@', StringComparison.Ordinal);
        if (!Digest.TryParse(reference[(at + 1)..], out var digest) || (at >= 0 && tenant.Images.Find(reference) is not null))
        {
            var image = findImage(reference);
            return (image.Name, image.Target);
        }

        return tenant.Content.Find(digest) is not null
            ? (at > 0 ? reference[..at] : NameOf(digest), await DescribeAsync(digest, cancellationToken).ConfigureAwait(false))
            : throw new ImageStoreException(
                ErrorKind.NotFound, $"The store does not have {Printable.Of(reference)}.", "Pull it first; a part of an image that nothing names is collected.");
    }

    private async Task<Descriptor> DescribeAsync(Digest digest, CancellationToken cancellationToken)
    {
        var blob = new Descriptor { MediaType = MediaTypes.OciManifest, Digest = digest, Size = tenant.Content.Find(digest)!.Size };
        var bytes = await tenant.Content.ReadVerifiedAsync(blob, OciLimits.MaxManifestBytes, cancellationToken).ConfigureAwait(false);
        return blob with { MediaType = OciDocument.DeclaredMediaType(bytes) ?? MediaTypes.OciManifest };
    }

    /// <summary>The first image that stands for the manifest, or for an index that names it.</summary>
    private string? NameOf(Digest manifest)
    {
        var text = manifest.ToString();
        return tenant.Images.List().FirstOrDefault(image => image.Target.Digest == manifest
            || (MediaTypes.IsIndex(image.Target.MediaType)
                && tenant.Content.Find(image.Target.Digest) is { } index
                && index.Labels.Any(label => label.Value == text && label.Key.StartsWith(Labels.RefContent, StringComparison.Ordinal))))?.Name;
    }
}
