namespace ImageStore.Snapshotters.Layers;

/// <summary>The kinds that differ in which extended attributes they may have.</summary>
internal enum FileKind
{
    /// <summary>A link, device or fifo: the kernel keeps no <c>user.*</c> for it.</summary>
    Other,

    /// <summary>A regular file.</summary>
    Regular,

    /// <summary>A directory, which alone has a default ACL.</summary>
    Directory,
}
