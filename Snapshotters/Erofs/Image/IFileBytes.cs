namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>Where the bytes of a file come from, one after the other.</summary>
internal interface IFileBytes
{
    /// <summary>The bytes at hand, at least one and at most <paramref name="max"/>. Consumed by this call; valid until the next.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">There are no more.</exception>
    ReadOnlySpan<byte> Take(long max);
}
