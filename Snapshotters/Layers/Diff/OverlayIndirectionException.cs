namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>A layer says that something lies elsewhere, which only the kernel is to follow: the trees have to be mounted.</summary>
internal sealed class OverlayIndirectionException() : Exception("A layer of the overlay redirects.");
