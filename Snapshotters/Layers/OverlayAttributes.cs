namespace ImageStore.Snapshotters.Layers;

/// <summary>The extended attributes in which overlayfs keeps its own state.</summary>
/// <remarks>Neither a layer nor a copy of a file may bring them: overlayfs would obey them.</remarks>
internal static class OverlayAttributes
{
    /// <summary>Does <paramref name="name"/>, with or without its NUL, belong to overlayfs?</summary>
    public static bool Owns(ReadOnlySpan<byte> name) =>
        name.StartsWith("trusted.overlay."u8) || name.StartsWith("user.overlay."u8);
}
