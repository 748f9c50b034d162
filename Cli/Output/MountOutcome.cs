namespace ImageStore.Cli.Output;

/// <summary>What <c>mount</c> and <c>unmount</c> did: where, absolute, and whether an image is there now.</summary>
internal sealed record MountOutcome(string Target, bool Mounted);
