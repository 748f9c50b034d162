using ImageStore.Store.Oci;

namespace ImageStore.Engine.Rebase;

/// <summary>An image that is to stand on another base.</summary>
public sealed record RebaseRequest
{
    /// <summary>The image.</summary>
    public required string Image { get; init; }

    /// <summary>The new image's name.</summary>
    public required string Name { get; init; }

    /// <summary>What it stands on, a name or digest; null for what its annotation names.</summary>
    public string? OldBase { get; init; }

    /// <summary>What it is to stand on, a name or digest; null for what the name in its annotation stands for now.</summary>
    public string? NewBase { get; init; }

    /// <summary>The platform; null for this machine's.</summary>
    public Platform? Platform { get; init; }
}
