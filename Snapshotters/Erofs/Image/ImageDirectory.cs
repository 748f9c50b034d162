namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>What is known of a directory until it is written, which is when all others are.</summary>
internal sealed class ImageDirectory
{
    /// <summary>Permission bits; 0755 for one that nobody told of.</summary>
    public uint Mode { get; set; } = 0x1ED;

    public uint Uid { get; set; }

    public uint Gid { get; set; }

    public long Seconds { get; set; }

    public uint Nanoseconds { get; set; }

    /// <summary>By their names with NUL; null for none, as most have.</summary>
    public Dictionary<byte[], byte[]>? Xattrs { get; set; }

    /// <summary>Did the layer need it without having an entry for it?</summary>
    public bool IsImplied { get; set; }

    /// <summary>Where its inode is.</summary>
    public long Offset { get; set; }

    /// <summary>Where its data begins.</summary>
    public long DataOffset { get; set; }

    public void SetXattr(byte[] name, byte[] value) => (Xattrs ??= new Dictionary<byte[], byte[]>(ByteOrder.Instance))[name] = value;
}
