using ImageStore.Distribution.Registry;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>One image that was chosen.</summary>
/// <param name="Source">Its name.</param>
/// <param name="Pinned">What the name stands for, where that is settled: by a lock file or an archive.</param>
/// <param name="Path">Its repository's path at the target; null for its own.</param>
/// <param name="Options">What of it is copied.</param>
internal sealed record MirrorImage(ImageReference Source, Digest? Pinned, string? Path, CopyOptions Options)
{
    /// <summary>What the source is asked for.</summary>
    public string Identifier => Pinned?.ToString() ?? Source.Identifier;
}
