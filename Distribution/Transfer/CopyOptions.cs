using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer;

/// <summary>What of an image is copied.</summary>
public sealed record CopyOptions
{
    /// <summary>The platforms to take out of an index; null takes all of it.</summary>
    /// <remarks>One alone is copied as the image that it is; of several a new index is made, with another digest, unless
    /// <see cref="Sparse"/>.</remarks>
    public IReadOnlyList<Platform>? Platforms { get; init; }

    /// <summary>Keep the index as it is, and leave out the images of other platforms, or without <see cref="Platforms"/> those
    /// that the source does not hold; not every registry takes that.</summary>
    public bool Sparse { get; init; }

    /// <summary>Copy what refers to the image too: signatures, attestations, SBOMs (OCI 1.1 referrers), and what refers to those.</summary>
    public bool Referrers { get; init; }

    /// <summary>Copy cosign's tags too: <c>sha256-HEX.sig</c>, <c>.att</c> and <c>.sbom</c>.</summary>
    public bool DigestTags { get; init; }

    /// <summary>Only tell what would be copied.</summary>
    public bool DryRun { get; init; }
}

/// <summary>What a copy did, or with <see cref="CopyOptions.DryRun"/> would do.</summary>
/// <param name="Source">What the name pointed at.</param>
/// <param name="Target">What it points at in the target; another one where platforms were chosen.</param>
/// <param name="UpToDate">Did the target have all of it?</param>
/// <param name="Manifests">How many manifests and indexes were written.</param>
/// <param name="BlobsCopied">How many blobs were sent.</param>
/// <param name="BytesCopied">Their bytes.</param>
/// <param name="BlobsMounted">How many blobs the registry took over from another repository.</param>
/// <param name="BytesPresent">Bytes that the target had already or took over.</param>
/// <param name="Skipped">Foreign layers that the source does not hold and the target need not.</param>
public sealed record CopyResult(
    Descriptor Source,
    Descriptor Target,
    bool UpToDate,
    int Manifests,
    int BlobsCopied,
    long BytesCopied,
    int BlobsMounted,
    long BytesPresent,
    IReadOnlyList<Digest> Skipped);
