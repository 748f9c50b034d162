using ImageStore.Store;

namespace ImageStore.Distribution.Registry;

/// <summary>A blob's bytes as they come from a registry. It ends exactly at the blob's size; the reader hashes.</summary>
public abstract class RegistryBlobStream : ReadOnlyStream
{
    /// <summary>The endpoint that all bytes so far came from; null where there were several, or who answers there is not sure.</summary>
    public abstract string? Origin { get; }
}
