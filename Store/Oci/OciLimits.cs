namespace ImageStore.Store.Oci;

/// <summary>What an image may ask of us. Each is far above what real images need, and bounds memory or time.</summary>
public static class OciLimits
{
    /// <summary>Bytes of a manifest or index (distribution-spec: registries take at least 4 MiB).</summary>
    public const int MaxManifestBytes = 4 * 1024 * 1024;

    /// <summary>Bytes of an image configuration.</summary>
    public const int MaxConfigBytes = 8 * 1024 * 1024;

    /// <summary>Nesting of any JSON document.</summary>
    public const int MaxJsonDepth = 64;

    /// <summary>Layers of one image; the kernel's overlayfs stops at 500.</summary>
    public const int MaxLayers = 500;

    /// <summary>Entries of one index.</summary>
    public const int MaxIndexEntries = 4096;

    /// <summary>Indexes within indexes.</summary>
    public const int MaxIndexDepth = 8;

    /// <summary>Manifests and indexes that one reference may reach, all platforms together.</summary>
    public const int MaxManifestsPerImage = 4096;

    /// <summary>Bytes of one blob: 1 TiB.</summary>
    public const long MaxBlobBytes = 1L << 40;
}
