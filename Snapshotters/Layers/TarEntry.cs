namespace ImageStore.Snapshotters.Layers;

/// <summary>One entry's header after all extensions; strings are bytes in Latin-1, the size counts the body in the archive.</summary>
internal sealed record TarEntry(
    byte Type, string Name, string LinkName, uint Mode, uint Uid, uint Gid, long Size, long Seconds, uint Nanoseconds,
    uint Major, uint Minor, IReadOnlyList<(string Name, byte[] Value)> Xattrs, SparseMap? Sparse);
