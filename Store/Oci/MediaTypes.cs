using System.Collections.Frozen;

namespace ImageStore.Store.Oci;

/// <summary>The media types of OCI image spec 1.1 (media-types.md) and of Docker image manifest version 2, schema 2.</summary>
public static class MediaTypes
{
    /// <summary>OCI image index.</summary>
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";

    /// <summary>OCI image manifest.</summary>
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>OCI artifact manifest, which image spec 1.1 gave up before its release; registries still hold some.</summary>
    public const string OciArtifactManifest = "application/vnd.oci.artifact.manifest.v1+json";

    /// <summary>OCI image configuration.</summary>
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";

    /// <summary>The empty JSON object of artifacts.</summary>
    public const string OciEmpty = "application/vnd.oci.empty.v1+json";

    /// <summary>OCI layer, not compressed.</summary>
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar";

    /// <summary>OCI layer, gzip.</summary>
    public const string OciLayerGzip = OciLayer + "+gzip";

    /// <summary>OCI layer, zstd.</summary>
    public const string OciLayerZstd = OciLayer + "+zstd";

    /// <summary>Docker manifest list.</summary>
    public const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>Docker image manifest, schema 2.</summary>
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>Docker image configuration.</summary>
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";

    /// <summary>Docker layer, not compressed.</summary>
    public const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar";

    /// <summary>Docker layer, gzip.</summary>
    public const string DockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    /// <summary>Docker layer, zstd, as some builders name it.</summary>
    public const string DockerLayerZstd = "application/vnd.docker.image.rootfs.diff.tar.zstd";

    /// <summary>Docker layer that a registry need not hold.</summary>
    public const string DockerForeignLayer = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

    /// <summary>Docker schema 1, which is refused.</summary>
    public const string DockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json";

    /// <summary>Docker schema 1, signed, which is refused.</summary>
    public const string DockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";

    /// <summary>Bytes of which nothing else is known.</summary>
    public const string OctetStream = "application/octet-stream";

    private const string OciNonDistributablePrefix = "application/vnd.oci.image.layer.nondistributable.v1.tar";

    private static readonly FrozenSet<string> s_layers = FrozenSet.Create(
        StringComparer.Ordinal,
        OciLayer, OciLayerGzip, OciLayerZstd, DockerLayer, DockerLayerGzip, DockerLayerZstd, DockerForeignLayer,
        OciNonDistributablePrefix, OciNonDistributablePrefix + "+gzip", OciNonDistributablePrefix + "+zstd");

    /// <summary>The types that a manifest request accepts, best first.</summary>
    public static IReadOnlyList<string> Accepted { get; } =
        [OciIndex, OciManifest, DockerList, DockerManifest, OciArtifactManifest];

    /// <summary>Is it an index or a manifest list?</summary>
    public static bool IsIndex(string mediaType) => mediaType is OciIndex or DockerList;

    /// <summary>Is it an image manifest?</summary>
    public static bool IsManifest(string mediaType) => mediaType is OciManifest or DockerManifest;

    /// <summary>Is it a document that refers to others: a manifest, an index, an artifact manifest?</summary>
    public static bool IsDocument(string mediaType) =>
        IsIndex(mediaType) || IsManifest(mediaType) || mediaType == OciArtifactManifest;

    /// <summary>Is it an image configuration, which has a platform and diff IDs?</summary>
    public static bool IsConfig(string mediaType) => mediaType is OciConfig or DockerConfig;

    /// <summary>Is it a filesystem layer?</summary>
    public static bool IsLayer(string mediaType) => s_layers.Contains(mediaType);

    /// <summary>Is it a layer that its registry need not hold?</summary>
    public static bool IsNonDistributable(string mediaType) =>
        mediaType == DockerForeignLayer || mediaType.StartsWith(OciNonDistributablePrefix, StringComparison.Ordinal);

    /// <summary>Is it Docker's schema 1?</summary>
    public static bool IsSchema1(string mediaType) => mediaType is DockerSchema1 or DockerSchema1Signed;
}
