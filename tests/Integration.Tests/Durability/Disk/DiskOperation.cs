namespace ImageStore.Integration.Tests.Durability.Disk;

/// <summary>One change of a disk, or one demand that changes be durable.</summary>
/// <param name="Entered">When the call began.</param>
/// <param name="Left">When it ended; what ended before a sync began is what the sync is about.</param>
internal abstract record DiskOperation(int Entered, int Left);

/// <summary>Names that change together or not at all.</summary>
/// <param name="Entered">When the call began.</param>
/// <param name="Left">When it ended.</param>
/// <param name="Bindings">Each name and what it stands for from then on.</param>
/// <param name="Created">The inode that is made by it, or null.</param>
/// <param name="Initial">The attributes that a new inode begins with.</param>
/// <param name="Emptied">The directory that goes with it, or null.</param>
internal sealed record NameChange(
    int Entered,
    int Left,
    IReadOnlyList<Binding> Bindings,
    Inode? Created = null,
    IReadOnlyDictionary<string, string>? Initial = null,
    Inode? Emptied = null) : DiskOperation(Entered, Left)
{
    public override string ToString() => string.Join(", ", Bindings);
}

/// <summary>Bytes of a file.</summary>
internal sealed record FileWrite(int Entered, int Left, Inode Inode, long Offset, byte[] Bytes) : DiskOperation(Entered, Left)
{
    public override string ToString() => $"write {Inode} {Offset}+{Bytes.Length}";
}

/// <summary>The size of a file.</summary>
internal sealed record LengthChange(int Entered, int Left, Inode Inode, long Length) : DiskOperation(Entered, Left)
{
    public override string ToString() => $"length {Inode} {Length}";
}

/// <summary>Mode, owner, time or an extended attribute.</summary>
internal sealed record AttributeChange(int Entered, int Left, Inode Inode, string Key, string? Value) : DiskOperation(Entered, Left)
{
    public override string ToString() => $"{Key} {Inode} {Value}";
}

/// <summary>A sync of one inode: a file's bytes, a directory's names.</summary>
/// <param name="Entered">When the call began.</param>
/// <param name="Left">When it ended.</param>
/// <param name="Inode">The file or directory.</param>
/// <param name="Attributes">Whether it is about attributes too.</param>
/// <param name="Failed">Whether it told a failure, after which nothing is known of what it should have made durable.</param>
internal sealed record InodeSync(int Entered, int Left, Inode Inode, bool Attributes, bool Failed) : DiskOperation(Entered, Left)
{
    public override string ToString() => $"{(Failed ? "failed sync" : "sync")} {Inode}";
}

/// <summary>A sync of everything.</summary>
internal sealed record WholeSync(int Entered, int Left, bool Failed) : DiskOperation(Entered, Left)
{
    public override string ToString() => Failed ? "failed syncfs" : "syncfs";
}
