using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImageStore.Engine.Pull;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Commit;

/// <summary>Puts an image together out of layers that the store has, and names it.</summary>
/// <remarks>What is made is OCI's (image spec, manifest.md), also on a base in Docker's types, whose layers are the same bytes.</remarks>
internal sealed class ImageAssembler(Tenant tenant)
{
    /// <summary>The annotation with the name of the image that an image stands on (image spec, annotations.md).</summary>
    public const string BaseName = "org.opencontainers.image.base.name";

    /// <summary>The annotation with that image's digest.</summary>
    public const string BaseDigest = "org.opencontainers.image.base.digest";

    private static readonly JsonWriterOptions s_writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Stores configuration and manifest under the lease, and makes <paramref name="name"/> stand for them.</summary>
    public async Task<Descriptor> PutAsync(
        string name,
        JsonObject config,
        IReadOnlyList<Descriptor> layers,
        IReadOnlyDictionary<string, string> annotations,
        Lease lease,
        CancellationToken cancellationToken)
    {
        if (layers.Count > OciLimits.MaxLayers)
        {
            throw new ImageStoreException(
                ErrorKind.LimitExceeded, $"The image would have {layers.Count} layers; the limit is {OciLimits.MaxLayers}.");
        }

        var configBytes = Bytes(config);
        var configBlob = Blob(configBytes, MediaTypes.OciConfig);
        OciDocument.ParseConfig(configBytes, layers.Count);
        await tenant.Content.PutAsync(
            $"config-{configBlob.Digest}", configBlob, configBytes, Labels.None, lease, cancellationToken).ConfigureAwait(false);
        var manifest = new Manifest
        {
            SchemaVersion = 2,
            MediaType = MediaTypes.OciManifest,
            Config = configBlob,
            Layers = [.. layers.Select(layer => layer with { MediaType = Oci(layer.MediaType) })],
            Annotations = annotations.Count > 0 ? annotations : null,
        };
        var bytes = JsonSerializer.SerializeToUtf8Bytes(manifest, OciJson.Writing.Manifest);
        var target = Blob(bytes, MediaTypes.OciManifest);
        OciDocument.ParseManifest(bytes, MediaTypes.OciManifest);
        await tenant.Content.PutAsync(
            $"manifest-{target.Digest}", target, bytes, GcLabels.OfManifest(manifest), lease, cancellationToken).ConfigureAwait(false);
        var summary = await new ImageLister(tenant.Content).SumUpAsync(target, cancellationToken).ConfigureAwait(false);
        await tenant.Images.PutAsync(name, target, summary.ToLabels(target), cancellationToken).ConfigureAwait(false);
        return target;
    }

    /// <summary>The annotations of an image on <paramref name="base"/>.</summary>
    public static Dictionary<string, string> Annotate(BaseImage? @base)
    {
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal);
        if (@base is not null)
        {
            annotations[BaseDigest] = @base.Target.Digest.ToString();
            if (@base.Name is { } name)
            {
                annotations[BaseName] = name;
            }
        }

        return annotations;
    }

    private static byte[] Bytes(JsonObject json)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, s_writing))
        {
            json.WriteTo(writer);
        }

        return bytes.ToArray();
    }

    private static Descriptor Blob(byte[] bytes, string mediaType) =>
        new() { MediaType = mediaType, Digest = Digest.Compute(bytes), Size = bytes.Length };

    private static string Oci(string mediaType) => mediaType switch
    {
        MediaTypes.DockerLayer => MediaTypes.OciLayer,
        MediaTypes.DockerLayerGzip => MediaTypes.OciLayerGzip,
        MediaTypes.DockerLayerZstd => MediaTypes.OciLayerZstd,
        MediaTypes.DockerForeignLayer => "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        _ => mediaType,
    };
}
