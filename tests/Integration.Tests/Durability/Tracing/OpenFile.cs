using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Tracing;

/// <summary>What a descriptor stands for; copies of a descriptor share it.</summary>
internal sealed class OpenFile(Inode inode, bool append)
{
    public Inode Inode => inode;

    public bool Append => append;

    public long Position { get; set; }
}
