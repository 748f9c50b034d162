namespace ImageStore.Snapshotters.Snapshots;

/// <summary>An active snapshot that a layer is written into before its parent is there.</summary>
/// <param name="Key">The key to commit or remove it by.</param>
/// <param name="Directory">Where the layer's files go.</param>
public sealed record LayerSnapshot(string Key, string Directory);
