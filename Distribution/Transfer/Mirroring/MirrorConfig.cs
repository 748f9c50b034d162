using ImageStore.Distribution.Registry;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>What is to be mirrored, as a <c>mirror.yaml</c> says.</summary>
public sealed record MirrorConfig
{
    /// <summary>Where from, when it is no registry: an archive or a layout.</summary>
    public string? From { get; init; }

    /// <summary>Where to: the beginning of repositories' names, an archive or a layout.</summary>
    public string? To { get; init; }

    /// <summary>Do the names at the target keep the source's registry as a part?</summary>
    public bool RegistryInPath { get; init; }

    /// <summary>The repositories, in the file's order.</summary>
    internal IReadOnlyList<MirrorRepository> Repositories { get; init; } = [];

    /// <summary>What is copied of images that no repository of the file names.</summary>
    internal CopyOptions Options { get; init; } = new();
}

/// <summary>One repository that is mirrored.</summary>
/// <param name="Source">Registry and repository; its tag has no meaning.</param>
/// <param name="Target">Its path at the target; null for its own.</param>
/// <param name="Tags">Which tags.</param>
/// <param name="Options">What of each image.</param>
internal sealed record MirrorRepository(ImageReference Source, string? Target, TagSelection Tags, CopyOptions Options);
