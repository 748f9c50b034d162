using ImageStore.Store.Oci;

namespace ImageStore.Engine.Bundles;

/// <summary>A bundle that was written.</summary>
/// <param name="Directory">Where, absolute.</param>
/// <param name="Image">The image's full name.</param>
/// <param name="Manifest">The digest of the manifest that was taken.</param>
/// <param name="ChainId">The chain ID of the topmost layer.</param>
/// <param name="Arguments">The command that it runs.</param>
/// <param name="StopSignal">The signal that asks it to end, where the image names one.</param>
/// <param name="Snapshotter">The snapshotter whose snapshot is mounted, or null where the files were written.</param>
/// <param name="Notes">What was made less than asked, a sentence each.</param>
public sealed record BundleResult(
    string Directory,
    string Image,
    Digest Manifest,
    Digest ChainId,
    IReadOnlyList<string> Arguments,
    string? StopSignal,
    string? Snapshotter,
    IReadOnlyList<string> Notes);
