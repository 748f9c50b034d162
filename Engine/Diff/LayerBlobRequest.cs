using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Leases;

namespace ImageStore.Engine.Diff;

/// <summary>A difference that is to become a blob.</summary>
/// <param name="Lower">What the layer will lie on; no mounts for nothing.</param>
/// <param name="Upper">What it has to give.</param>
/// <param name="Options">Compression and times.</param>
internal sealed record LayerBlobRequest(IReadOnlyList<Mount> Lower, IReadOnlyList<Mount> Upper, DiffOptions Options)
{
    /// <summary>The ingest's name; null for one that nobody has.</summary>
    public string? Reference { get; init; }

    /// <summary>Labels beside the one that tells the diff ID.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = Store.Labels.None;

    /// <summary>What keeps the blob.</summary>
    public Lease? Lease { get; init; }
}
