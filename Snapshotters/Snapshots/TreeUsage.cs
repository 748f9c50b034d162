using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>Counts what a directory tree occupies.</summary>
public static class TreeUsage
{
    private const int BlockBytes = 512;
    private static readonly byte[] s_parent = [(byte)'.', (byte)'.', 0];

    /// <summary>Bytes that a file or folder itself occupies, without what is in it; 0 when it is not there.</summary>
    public static long Own(string path) => FileStatus.Read(path, out var status) == 0 ? (long)status.Blocks * BlockBytes : 0;

    /// <summary>All of a folder: its inodes, and the bytes that they occupy. A hard-linked file counts once, and what is mounted inside not at all.</summary>
    public static SnapshotUsage Measure(string directory, CancellationToken cancellationToken)
    {
        var linked = new HashSet<(uint, uint, ulong)>();
        var (inodes, bytes) = (1L, Own(directory));
        // One handle whatever the depth, since a container may have made directories in each other without end.
        var at = DirectoryHandle.Open(directory);
        _ = FileStatus.ReadOpen((int)at.DangerousGetHandle(), out var own);
        var open = new Stack<(FileStatus Directory, Queue<byte[]> Below)>();
        try
        {
            for (var below = Count(at); ;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (below.TryDequeue(out var name))
                {
                    if (Step(at, name) is not { } child)
                    {
                        continue;
                    }

                    FileStatus.ReadOpen((int)at.DangerousGetHandle(), out var here);
                    open.Push((here, below));
                    at = Replace(at, child);
                    below = Count(at);
                    continue;
                }

                if (!open.TryPop(out var above))
                {
                    break;
                }

                at = Replace(at, DirectoryHandle.OpenChild(at, s_parent));
                if (FileStatus.ReadOpen((int)at.DangerousGetHandle(), out var now) != 0 || !now.IsSameFile(above.Directory))
                {
                    // It was moved while it was counted: what is above it now is not ours.
                    break;
                }

                below = above.Below;
            }
        }
        finally
        {
            at.Dispose();
        }

        return new SnapshotUsage(inodes, bytes);

        Queue<byte[]> Count(SafeFileHandle parent)
        {
            var directories = new Queue<byte[]>();
            foreach (var (name, _) in Mounts.DirectoryEntries.Read(parent))
            {
                if (FileStatus.ReadAt((int)parent.DangerousGetHandle(), name, out var entry) != 0
                    || (entry.DevMajor, entry.DevMinor) != (own.DevMajor, own.DevMinor))
                {
                    // An active snapshot changes while it is counted.
                    continue;
                }

                if (entry.LinkCount < 2 || entry.Type == FileType.Directory || linked.Add((entry.DevMajor, entry.DevMinor, entry.Inode)))
                {
                    inodes++;
                    bytes += (long)entry.Blocks * BlockBytes;
                }

                if (entry.Type == FileType.Directory)
                {
                    directories.Enqueue(name);
                }
            }

            return directories;
        }
    }

    // Gone since it was counted, or something else by now: then there is nothing below it to count.
    private static SafeFileHandle? Step(SafeFileHandle at, byte[] name) => OpenAt.Directory(at, name);

    private static SafeFileHandle Replace(SafeFileHandle old, SafeFileHandle now)
    {
        old.Dispose();
        return now;
    }
}
