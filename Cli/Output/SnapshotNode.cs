namespace ImageStore.Cli.Output;

/// <summary>A snapshot in its tree. The list is flat, since chains are deeper than JSON readers like.</summary>
internal sealed record SnapshotNode(string Name, string Kind, string? Parent, int Depth);
