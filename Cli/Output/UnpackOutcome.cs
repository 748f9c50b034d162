namespace ImageStore.Cli.Output;

/// <summary>What <c>unpack</c> made.</summary>
internal sealed record UnpackOutcome(string Snapshotter, string ChainId);
