using ImageStore.Store.Errors;

namespace ImageStore.Store.Oci;

/// <summary>What a manifest, index or artifact manifest refers to, whichever it is.</summary>
/// <param name="Manifests">The documents below it.</param>
/// <param name="Blobs">Its config and layers, base first, or an artifact's blobs.</param>
/// <param name="Subject">The manifest that it is about.</param>
/// <param name="ArtifactType">Its artifact type, as the referrers list gives it: its own, else the config's media type.</param>
/// <param name="Annotations">Its annotations.</param>
public sealed record DocumentLinks(
    IReadOnlyList<Descriptor> Manifests,
    IReadOnlyList<Descriptor> Blobs,
    Descriptor? Subject,
    string? ArtifactType,
    IReadOnlyDictionary<string, string>? Annotations)
{
    /// <summary>Reads the document of type <paramref name="mediaType"/>.</summary>
    /// <exception cref="ImageStoreException">It is malformed (<see cref="ErrorKind.CorruptData"/>), over a limit
    /// (<see cref="ErrorKind.LimitExceeded"/>), or of a type that is not known (<see cref="ErrorKind.Unsupported"/>).</exception>
    public static DocumentLinks Parse(ReadOnlyMemory<byte> bytes, string mediaType)
    {
        ArgumentNullException.ThrowIfNull(mediaType);
        if (MediaTypes.IsIndex(mediaType))
        {
            var index = OciDocument.ParseIndex(bytes, mediaType);
            return new DocumentLinks(index.Manifests, [], index.Subject, index.ArtifactType, index.Annotations);
        }

        if (MediaTypes.IsManifest(mediaType))
        {
            var manifest = OciDocument.ParseManifest(bytes, mediaType);
            return new DocumentLinks(
                [],
                [manifest.Config, .. manifest.Layers],
                manifest.Subject,
                string.IsNullOrEmpty(manifest.ArtifactType) ? manifest.Config.MediaType : manifest.ArtifactType,
                manifest.Annotations);
        }

        if (mediaType == MediaTypes.OciArtifactManifest)
        {
            var artifact = OciDocument.ParseArtifact(bytes);
            return new DocumentLinks([], artifact.Blobs, artifact.Subject, artifact.ArtifactType, artifact.Annotations);
        }

        throw new ImageStoreException(
            ErrorKind.Unsupported,
            $"'{Printable.Of(mediaType)}' is no image manifest, index or artifact manifest.",
            MediaTypes.IsSchema1(mediaType) ? "Docker's schema 1 was given up in 2017: push the image again with a current tool." : null);
    }
}
