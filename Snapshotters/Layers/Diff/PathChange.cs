namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>One line of a list of changes.</summary>
/// <param name="Kind">Never <see cref="ChangeKind.Unchanged"/>.</param>
/// <param name="Path">Absolute within the tree; bytes that are no UTF-8 are shown as U+FFFD.</param>
public sealed record PathChange(ChangeKind Kind, string Path);
