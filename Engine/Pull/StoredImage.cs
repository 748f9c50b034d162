using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Pull;

/// <summary>Reads an image out of the store alone, and tells whether all of it is there.</summary>
internal sealed class StoredImage(IContentStore content)
{
    /// <summary>The manifest for <paramref name="platform"/>, or null when a document on the way is not in the store.</summary>
    public async Task<StoredManifest?> FindManifestAsync(
        Descriptor node, Platform platform, CancellationToken cancellationToken, int depth = 0)
    {
        if (content.Find(node.Digest) is null || depth >= OciLimits.MaxIndexDepth)
        {
            return null;
        }

        if (await ReadAsync(node, cancellationToken).ConfigureAwait(false) is not { } bytes)
        {
            return null;
        }

        if (!MediaTypes.IsIndex(node.MediaType))
        {
            return new StoredManifest(node, OciDocument.ParseManifest(bytes, node.MediaType));
        }

        foreach (var candidate in OciDocument.ParseIndex(bytes, node.MediaType).CandidatesFor(platform))
        {
            if (await FindManifestAsync(candidate, platform, cancellationToken, depth + 1).ConfigureAwait(false) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>The manifest for <paramref name="platform"/> of an image that is to be unpacked.</summary>
    /// <exception cref="ImageStoreException">The store lacks a part (<see cref="ErrorKind.NotFound"/>), or it is an
    /// artifact without a filesystem (<see cref="ErrorKind.Unsupported"/>).</exception>
    public async Task<StoredManifest> NeedFilesystemAsync(ImageRecord image, Platform platform, CancellationToken cancellationToken)
    {
        var chosen = await FindManifestAsync(image.Target, platform, cancellationToken).ConfigureAwait(false);
        if (chosen is null || !IsComplete(chosen.Manifest))
        {
            throw new ImageStoreException(
                ErrorKind.NotFound,
                $"The store does not have all of {Printable.Of(image.Name)} for the platform {platform}.",
                "Pull it again for that platform.");
        }

        return IsFilesystem(chosen.Manifest)
            ? chosen
            : throw new ImageStoreException(
                ErrorKind.Unsupported, $"{Printable.Of(image.Name)} is an artifact and holds no filesystem to unpack.");
    }

    /// <summary>Are the config and all layers there, with files of the right size?</summary>
    public bool IsComplete(Manifest manifest) => manifest.Layers.Prepend(manifest.Config).All(IsThere);

    /// <summary>Is everything there that <paramref name="target"/> leads to, for whatever platform?</summary>
    public async Task<bool> IsWholeAsync(Descriptor target, CancellationToken cancellationToken)
    {
        var (found, isAll) = await ManifestsAsync(target, cancellationToken).ConfigureAwait(false);
        return isAll && found.All(manifest => IsComplete(manifest.Manifest));
    }

    /// <summary>The manifests below <paramref name="target"/> that are there, and whether these are all.</summary>
    public async Task<(IReadOnlyList<StoredManifest> Found, bool IsAll)> ManifestsAsync(Descriptor target, CancellationToken cancellationToken)
    {
        List<StoredManifest> found = [];
        var isAll = true;
        HashSet<Digest> seen = [];
        Stack<Descriptor> open = new([target]);
        while (open.TryPop(out var node))
        {
            if (!seen.Add(node.Digest))
            {
                continue;
            }

            if (seen.Count > OciLimits.MaxManifestsPerImage)
            {
                return (found, false);
            }

            if (content.Find(node.Digest) is null || await ReadAsync(node, cancellationToken).ConfigureAwait(false) is not { } bytes)
            {
                isAll = false;
            }
            else if (MediaTypes.IsIndex(node.MediaType))
            {
                OciDocument.ParseIndex(bytes, node.MediaType).Manifests.ToList().ForEach(open.Push);
            }
            else
            {
                found.Add(new StoredManifest(node, OciDocument.ParseManifest(bytes, node.MediaType)));
            }
        }

        return (found, isAll);
    }

    /// <summary>The image's config.</summary>
    public async Task<ImageConfig> ConfigAsync(Manifest manifest, CancellationToken cancellationToken) =>
        OciDocument.ParseConfig(
            await content.ReadVerifiedAsync(manifest.Config, OciLimits.MaxConfigBytes, cancellationToken).ConfigureAwait(false),
            manifest.Layers.Count);

    /// <summary>Can the manifest be unpacked, or is it an artifact that holds no filesystem?</summary>
    public static bool IsFilesystem(Manifest manifest) =>
        MediaTypes.IsConfig(manifest.Config.MediaType)
        && manifest.Layers.Count > 0
        && manifest.Layers.All(layer => MediaTypes.IsLayer(layer.MediaType));

    /// <summary>A document, or null when what the disk has is not it.</summary>
    private async Task<byte[]?> ReadAsync(Descriptor node, CancellationToken cancellationToken)
    {
        try
        {
            return await content.ReadVerifiedAsync(node, OciLimits.MaxManifestBytes, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageStoreException failure) when (failure.Kind == ErrorKind.CorruptData)
        {
            return null;
        }
    }

    private bool IsThere(Descriptor descriptor)
    {
        if (content.Find(descriptor.Digest) is null)
        {
            return false;
        }

        try
        {
            using var file = content.OpenRead(descriptor.Digest);
            return file.Length == descriptor.Size;
        }
        catch (ImageStoreException failure) when (failure.Kind == ErrorKind.CorruptData)
        {
            return false;
        }
    }
}
