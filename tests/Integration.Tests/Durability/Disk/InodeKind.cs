namespace ImageStore.Integration.Tests.Durability.Disk;

/// <summary>What an inode is.</summary>
internal enum InodeKind
{
    File,
    Directory,
    Symlink,
    CharacterDevice,
    BlockDevice,
    Pipe,
}
