namespace ImageStore.Engine.Fsck;

/// <summary>How a root is checked.</summary>
public sealed record FsckOptions
{
    /// <summary>Put right what can be? Damaged things go to the quarantine, and what registries still have is fetched again.</summary>
    public bool Repair { get; init; }

    /// <summary>Ask registries for what is damaged or missing, when repairing?</summary>
    public bool Fetch { get; init; } = true;

    /// <summary>Leave out the reading of all blobs?</summary>
    public bool Quick { get; init; }

    /// <summary>The most bytes of blobs to read a second; null for as fast as the disk gives them.</summary>
    public long? BytesPerSecond { get; init; }

    /// <summary>Go on with the reading of blobs where it was stopped last?</summary>
    public bool Resume { get; init; }

    /// <summary>Stop reading blobs after this, to go on another time; null to read all.</summary>
    public TimeSpan? AtMost { get; init; }
}
