using ImageStore.Snapshotters.Mounts;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>Counts what a directory tree occupies.</summary>
public static class TreeUsage
{
    private const int BlockBytes = 512;

    /// <summary>Bytes that a file or folder itself occupies, without what is in it; 0 when it is not there.</summary>
    public static long Own(string path) => FileStatus.Read(path, out var status) == 0 ? (long)status.Blocks * BlockBytes : 0;

    /// <summary>All of a folder: its inodes, and the bytes that they occupy. A hard-linked file counts once, and what is mounted inside not at all.</summary>
    public static SnapshotUsage Measure(string directory, CancellationToken cancellationToken)
    {
        using var root = DirectoryHandle.Open(directory);
        var linked = new HashSet<(uint, uint, ulong)>();
        var (inodes, bytes) = (1L, Own(directory));
        _ = FileStatus.ReadOpen((int)root.DangerousGetHandle(), out var own);
        Walk(root);
        return new SnapshotUsage(inodes, bytes);

        void Walk(SafeFileHandle parent)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var (name, _) in DirectoryEntries.Read(parent))
            {
                var errno = FileStatus.ReadAt((int)parent.DangerousGetHandle(), name, out var entry);
                if (errno != 0 || (entry.DevMajor, entry.DevMinor) != (own.DevMajor, own.DevMinor))
                {
                    // An active snapshot changes while it is counted.
                    continue;
                }

                var first = entry.LinkCount < 2 || entry.Type == FileType.Directory
                    || linked.Add((entry.DevMajor, entry.DevMinor, entry.Inode));
                if (first)
                {
                    inodes++;
                    bytes += (long)entry.Blocks * BlockBytes;
                }

                if (entry.Type == FileType.Directory)
                {
                    using var child = DirectoryHandle.OpenChild(parent, name);
                    Walk(child);
                }
            }
        }
    }
}
