using ImageStore.Snapshotters.Mounts;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>A name that a tree has: in which open directory, and what it is.</summary>
/// <param name="Parent">The directory; whoever opened it disposes it.</param>
/// <param name="Name">With its NUL.</param>
/// <param name="Status">As it was when it was found.</param>
/// <param name="Layer">Which of the directory's layers has it, counted from the top.</param>
internal readonly record struct FoundEntry(SafeFileHandle Parent, byte[] Name, FileStatus Status, int Layer)
{
    public bool IsDirectory => Status.Type == FileType.Directory;

    public bool IsRegular => Status.Type == FileType.Regular;

    public bool IsSymlink => Status.Type == FileType.Symlink;

    public bool IsDevice => Status.Type is FileType.CharDevice or FileType.BlockDevice;

    /// <summary>Has the file other names, which need not be in the same tree?</summary>
    public bool IsLinked => !IsDirectory && Status.LinkCount > 1;
}
