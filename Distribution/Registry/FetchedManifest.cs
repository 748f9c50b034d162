using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Registry;

/// <summary>A manifest or index as the registry sent it.</summary>
/// <param name="Descriptor">Its media type, computed digest and size.</param>
/// <param name="Bytes">The exact bytes.</param>
public sealed record FetchedManifest(Descriptor Descriptor, ReadOnlyMemory<byte> Bytes);
