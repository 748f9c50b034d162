namespace ImageStore.Snapshotters.Mounts;

/// <summary>What a file is, as <see cref="FileStatus.Type"/> gives it (S_IFMT).</summary>
internal static class FileType
{
    public const uint Fifo = 0x1000;
    public const uint CharDevice = 0x2000;
    public const uint Directory = 0x4000;
    public const uint BlockDevice = 0x6000;
    public const uint Regular = 0x8000;
    public const uint Symlink = 0xA000;
    public const uint Socket = 0xC000;
}
