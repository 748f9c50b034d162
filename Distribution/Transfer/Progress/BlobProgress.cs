using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Progress;

/// <summary>How far one blob is. Written by the transfer, read by whoever draws it.</summary>
public sealed class BlobProgress
{
    private long _done;
    private long _unpacked;
    private int _state;
    private string? _warning;

    /// <summary>Makes one that has not begun.</summary>
    public BlobProgress(Digest digest, string kind, long total) => (Digest, Kind, Total) = (digest, kind, total);

    /// <summary>Which blob.</summary>
    public Digest Digest { get; }

    /// <summary><c>index</c>, <c>manifest</c>, <c>config</c> or <c>layer</c>.</summary>
    public string Kind { get; }

    /// <summary>Its size in bytes.</summary>
    public long Total { get; }

    /// <summary>The bytes that are there.</summary>
    public long Done
    {
        get => Interlocked.Read(ref _done);
        set => Interlocked.Exchange(ref _done, value);
    }

    /// <summary>The bytes without compression that are unpacked.</summary>
    public long Unpacked
    {
        get => Interlocked.Read(ref _unpacked);
        set => Interlocked.Exchange(ref _unpacked, value);
    }

    /// <summary>What is odd about it though it can be used, as a sentence for people; null for nothing.</summary>
    public string? Warning
    {
        get => Volatile.Read(ref _warning);
        set => Volatile.Write(ref _warning, value);
    }

    /// <summary>What happens to it now.</summary>
    public BlobState State
    {
        get => (BlobState)Volatile.Read(ref _state);
        set => Volatile.Write(ref _state, (int)value);
    }
}
