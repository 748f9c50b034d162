namespace ImageStore.Snapshotters.Tests.Layers.Differential;

/// <summary>A file as a layer tells of it. Names that share the <paramref name="Id"/> are one file.</summary>
/// <param name="Id">Tells files apart.</param>
/// <param name="Kind">The type bits of the mode.</param>
/// <param name="Mode">Permission bits.</param>
/// <param name="Uid">The owner.</param>
/// <param name="Gid">The group.</param>
/// <param name="Seconds">Modification time.</param>
/// <param name="Nanoseconds">Its fraction.</param>
/// <param name="Data">A regular file's bytes.</param>
/// <param name="Target">A symbolic link's.</param>
/// <param name="Major">A device's.</param>
/// <param name="Minor">A device's.</param>
/// <param name="Xattrs">Values in Latin-1, by name.</param>
internal sealed record ModelFile(
    int Id, uint Kind, uint Mode, uint Uid, uint Gid, long Seconds, uint Nanoseconds, byte[] Data, string Target, uint Major, uint Minor,
    IReadOnlyDictionary<string, string> Xattrs)
{
    public const uint Fifo = 0x1000;
    public const uint CharDevice = 0x2000;
    public const uint Folder = 0x4000;
    public const uint BlockDevice = 0x6000;
    public const uint Regular = 0x8000;
    public const uint Symlink = 0xA000;

    public bool IsFolder => Kind == Folder;

    /// <summary>Is all equal that belongs to the file itself? Nothing changes an array or a dictionary that is in one.</summary>
    public bool IsSame(ModelFile other) => this == other;
}
