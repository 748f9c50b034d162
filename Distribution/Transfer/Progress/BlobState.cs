namespace ImageStore.Distribution.Transfer.Progress;

/// <summary>Where a blob of a pull, push or copy is.</summary>
public enum BlobState
{
    /// <summary>Its turn has not come.</summary>
    Waiting,

    /// <summary>Bytes of an earlier pull are hashed again.</summary>
    Resuming,

    /// <summary>Bytes arrive.</summary>
    Downloading,

    /// <summary>Bytes are sent.</summary>
    Sending,

    /// <summary>All bytes are there and verified; unpacking has yet to begin or is waiting for a lower layer.</summary>
    Verified,

    /// <summary>All bytes are there; the rest of the layer is unpacked.</summary>
    Unpacking,

    /// <summary>Nothing is left to do.</summary>
    Done,

    /// <summary>It was there already.</summary>
    Exists,
}
