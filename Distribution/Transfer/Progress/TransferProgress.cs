using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Progress;

/// <summary>How far a pull, push or copy is; made by the caller, and safe to read from another thread at any time.</summary>
public sealed class TransferProgress
{
    private readonly Lock _gate = new();
    private readonly List<BlobProgress> _blobs = [];
    private volatile string _phase = string.Empty;
    private long _received;

    /// <summary>What happens now, such as <c>resolving</c>.</summary>
    public string Phase
    {
        get => _phase;
        set => _phase = value;
    }

    /// <summary>Bytes of blobs that came over the network.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>The blobs that are known so far, in the order of the image.</summary>
    public IReadOnlyList<BlobProgress> Blobs
    {
        get
        {
            lock (_gate)
            {
                return [.. _blobs];
            }
        }
    }

    /// <summary>Counts bytes that came.</summary>
    public void Receive(int bytes) => Interlocked.Add(ref _received, bytes);

    /// <summary>Adds a blob that is to come; <paramref name="kind"/> is <c>index</c>, <c>manifest</c>, <c>config</c> or <c>layer</c>.</summary>
    public BlobProgress Add(Descriptor descriptor, string kind)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        var blob = new BlobProgress(descriptor.Digest, kind, descriptor.Size);
        lock (_gate)
        {
            _blobs.Add(blob);
        }

        return blob;
    }
}
