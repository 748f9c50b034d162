using ImageStore.Runtime.Options;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Bundles;

/// <summary>A bundle to be written.</summary>
public sealed record BundleRequest
{
    /// <summary>The image, in its short or full spelling; the store has it.</summary>
    public required string Reference { get; init; }

    /// <summary>The bundle's directory: an empty one, or one to be made in one that is there.</summary>
    public required string Directory { get; init; }

    /// <summary>The platform to take out of an index; null for this machine's.</summary>
    public Platform? Platform { get; init; }

    /// <summary>Is a snapshot mounted as the root filesystem, instead of its files being written?</summary>
    public bool Mount { get; init; }

    /// <summary>The snapshotter to mount from; null for the usual one.</summary>
    public string? Snapshotter { get; init; }

    /// <summary>What is asked of the container beyond what the image says.</summary>
    public ContainerOptions Options { get; init; } = new();
}
