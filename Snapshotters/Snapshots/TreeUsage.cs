using ImageStore.Snapshotters.Mounts;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>Counts what a directory tree occupies.</summary>
internal static class TreeUsage
{
    private const int BlockBytes = 512;
    private const uint TypeDirectory = 0x4000;

    public static SnapshotUsage Measure(string directory, CancellationToken cancellationToken)
    {
        using var root = DirectoryHandle.Open(directory);
        var linked = new HashSet<(uint, uint, ulong)>();
        var (inodes, bytes) = (0L, 0L);
        if (FileStatus.Read(directory, out var status) == 0)
        {
            (inodes, bytes) = (1, (long)status.Blocks * BlockBytes);
        }

        Walk(root);
        return new SnapshotUsage(inodes, bytes);

        void Walk(SafeFileHandle parent)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var (name, _) in DirectoryEntries.Read(parent))
            {
                var errno = FileStatus.ReadAt((int)parent.DangerousGetHandle(), name, out var entry);
                if (errno != 0)
                {
                    // An active snapshot changes while it is counted.
                    continue;
                }

                var first = entry.LinkCount < 2 || entry.Type == TypeDirectory
                    || linked.Add((entry.DevMajor, entry.DevMinor, entry.Inode));
                if (first)
                {
                    inodes++;
                    bytes += (long)entry.Blocks * BlockBytes;
                }

                if (entry.Type == TypeDirectory)
                {
                    using var child = DirectoryHandle.OpenChild(parent, name);
                    Walk(child);
                }
            }
        }
    }
}
