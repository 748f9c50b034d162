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
    public const uint TypeFifo = 0x1000;
    public const uint TypeCharDevice = 0x2000;
    public const uint TypeDirectory = 0x4000;
    public const uint TypeBlockDevice = 0x6000;
    public const uint TypeRegular = 0x8000;
    public const uint TypeSymlink = 0xA000;
    public const uint TypeSocket = 0xC000;

    public bool IsDirectory => Status.Type == TypeDirectory;

    public bool IsRegular => Status.Type == TypeRegular;

    public bool IsSymlink => Status.Type == TypeSymlink;

    public bool IsDevice => Status.Type is TypeCharDevice or TypeBlockDevice;

    /// <summary>Has the file other names, which need not be in the same tree?</summary>
    public bool IsLinked => !IsDirectory && Status.LinkCount > 1;
}
