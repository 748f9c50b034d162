using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Unpack;

/// <summary>A layer that is to be unpacked, and where its bytes come from.</summary>
/// <param name="Descriptor">The layer as the manifest names it.</param>
/// <param name="DiffId">The digest of its bytes without compression, as the config promises.</param>
/// <param name="ChainId">The name of the snapshot that it completes.</param>
/// <param name="Open">Opens its bytes, while they arrive or out of the store.</param>
/// <param name="Committed">Ends when the blob itself is verified and durable.</param>
/// <param name="Progress">Where to tell.</param>
internal sealed record LayerSource(
    Descriptor Descriptor,
    Digest DiffId,
    Digest ChainId,
    Func<CancellationToken, Task<Stream>> Open,
    Func<Task> Committed,
    BlobProgress Progress);
