using System.Text.Json;
using System.Text.Json.Nodes;
using ImageStore.Engine.Pull;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Commit;

/// <summary>One platform's image of the store, to build on: its manifest, and its configuration with all that others put in.</summary>
/// <param name="Name">The name that it was found by, or null.</param>
/// <param name="Target">Its manifest's descriptor.</param>
/// <param name="Manifest">The manifest.</param>
/// <param name="DiffIds">The digests of its layers without compression, base first.</param>
/// <param name="Config">The configuration; the holder's own copy.</param>
internal sealed record BaseImage(string? Name, Descriptor Target, Manifest Manifest, IReadOnlyList<Digest> DiffIds, JsonObject Config)
{
    /// <summary>The name of the snapshot of its topmost layer.</summary>
    public Digest ChainId => Store.Oci.ChainId.Of(DiffIds)[^1];

    /// <summary>The platform that the configuration names, or null.</summary>
    public Platform? Platform => Config["os"] is { } os && Config["architecture"] is { } architecture
        ? new Platform { Os = os.ToString(), Architecture = architecture.ToString(), Variant = Config["variant"]?.ToString() }.Normalize()
        : null;

    /// <summary>Reads an image out of the store.</summary>
    /// <exception cref="ImageStoreException">A part is missing (<see cref="ErrorKind.NotFound"/>), or it is no image
    /// (<see cref="ErrorKind.Unsupported"/>).</exception>
    public static async Task<BaseImage> ReadAsync(
        IContentStore content, string? name, StoredManifest found, CancellationToken cancellationToken)
    {
        if (!StoredImage.IsFilesystem(found.Manifest))
        {
            throw new ImageStoreException(
                ErrorKind.Unsupported, $"{Printable.Of(name ?? found.Descriptor.Digest.ToString())} is an artifact and holds no filesystem.");
        }

        if (!new StoredImage(content).IsComplete(found.Manifest))
        {
            throw new ImageStoreException(
                ErrorKind.NotFound,
                $"The store does not have all layers of {Printable.Of(name ?? found.Descriptor.Digest.ToString())}.",
                "Pull it again.");
        }

        var bytes = await content.ReadVerifiedAsync(found.Manifest.Config, OciLimits.MaxConfigBytes, cancellationToken).ConfigureAwait(false);
        var parsed = OciDocument.ParseConfig(bytes, found.Manifest.Layers.Count);
        var config = JsonNode.Parse(bytes, documentOptions: new JsonDocumentOptions { MaxDepth = OciLimits.MaxJsonDepth, AllowDuplicateProperties = false });
        return new BaseImage(name, found.Descriptor, found.Manifest, parsed.RootFs.DiffIds, config!.AsObject());
    }
}
