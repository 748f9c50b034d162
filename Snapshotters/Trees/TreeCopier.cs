using System.Runtime.InteropServices;
using System.Text;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Trees;

/// <summary>Copies a tree with owners, modes, times, attributes, devices and hard links, sharing blocks if it can.</summary>
internal sealed unsafe class TreeCopier(CancellationToken cancellationToken)
{
    private const uint PermissionMask = 0xFFF;
    private const int WriteCreateExclusive = 0x1 | 0x40 | 0x80;
    private const uint PrivateFile = 0x180;
    private const int MaxLinkBytes = 4096;
    private const int MaxAttributeBytes = 65536;
    private const int CopyBytes = 1 << 20;

    private readonly Dictionary<(uint, uint, ulong), (SafeFileHandle Parent, byte[] Name)> _links = [];
    private readonly List<SafeFileHandle> _open = [];

    /// <summary>Copies what is in <paramref name="source"/>, and its own attributes, into an existing directory.</summary>
    public static void Copy(string source, string target, CancellationToken cancellationToken)
    {
        var copier = new TreeCopier(cancellationToken);
        try
        {
            using var from = DirectoryHandle.Open(source);
            using var to = DirectoryHandle.Open(target);
            copier.CopyEntries(from, to);
            Check(FileStatus.Read(source, out var status));
            byte[] self = [(byte)'.', 0];
            ApplyOwner(to, self, status);
            CopyAttributes(from, to, self);
            ApplyStatus(to, self, status);
        }
        finally
        {
            copier._open.ForEach(handle => handle.Dispose());
        }
    }

    /// <summary>Copies one file that is no directory; <paramref name="name"/> ends with NUL and is not there yet.</summary>
    public static void CopyFile(SafeFileHandle from, SafeFileHandle to, byte[] name)
    {
        var copier = new TreeCopier(CancellationToken.None);
        try
        {
            Check(FileStatus.ReadAt((int)from.DangerousGetHandle(), name, out var status));
            copier.CopyEntry(from, to, name, status);
        }
        finally
        {
            copier._open.ForEach(handle => handle.Dispose());
        }
    }

    private void CopyEntries(SafeFileHandle from, SafeFileHandle to)
    {
        foreach (var (name, _) in DirectoryEntries.Read(from))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Check(FileStatus.ReadAt((int)from.DangerousGetHandle(), name, out var status));
            CopyEntry(from, to, name, status);
        }
    }

    private void CopyEntry(SafeFileHandle from, SafeFileHandle to, byte[] name, FileStatus status)
    {
        var shared = status.LinkCount > 1 && status.Type != FileType.Directory;
        var inode = (status.DevMajor, status.DevMinor, status.Inode);
        if (shared && _links.TryGetValue(inode, out var first))
        {
            Check(TreeSyscalls.Link((int)first.Parent.DangerousGetHandle(), first.Name, to, name, 0) == 0);
            return;
        }

        switch (status.Type)
        {
            case FileType.Directory:
                Check(TreeSyscalls.MakeDirectory(to, name, PrivateFile | 0x40) == 0);
                using (var source = DirectoryHandle.OpenChild(from, name))
                using (var target = DirectoryHandle.OpenChild(to, name))
                {
                    CopyEntries(source, target);
                }

                break;
            case FileType.Regular:
                CopyContent(from, to, name, (long)status.Size);
                break;
            case FileType.Symlink:
                CopyLink(from, to, name);
                break;
            default:
                Check(TreeSyscalls.MakeNode(to, name, status.Mode, Device(status)) == 0);
                break;
        }

        ApplyOwner(to, name, status);
        CopyAttributes(from, to, name);
        ApplyStatus(to, name, status);
        if (shared)
        {
            var parent = DirectoryHandle.OpenChild(to, [(byte)'.', 0]);
            _open.Add(parent);
            _links[inode] = (parent, name);
        }
    }

    private static void CopyContent(SafeFileHandle from, SafeFileHandle to, byte[] name, long size)
    {
        using var source = DirectoryHandle.OpenFile(from, name, 0, 0);
        using var target = DirectoryHandle.OpenFile(to, name, WriteCreateExclusive, (int)PrivateFile);
        if (size == 0
            || TreeSyscalls.Clone(target, TreeSyscalls.CloneFile, (int)source.DangerousGetHandle()) == 0)
        {
            return;
        }

        long copied = 0;
        while (copied < size)
        {
            var count = TreeSyscalls.CopyRange(source, null, target, null, (nuint)(size - copied), 0);
            if (count <= 0)
            {
                break;
            }

            copied += count;
        }

        // Some file systems offer neither.
        var buffer = copied < size ? new byte[CopyBytes] : [];
        while (copied < size)
        {
            var count = RandomAccess.Read(source, buffer, copied);
            if (count == 0)
            {
                break;
            }

            RandomAccess.Write(target, buffer.AsSpan(0, count), copied);
            copied += count;
        }
    }

    private static void CopyLink(SafeFileHandle from, SafeFileHandle to, byte[] name)
    {
        var target = new byte[MaxLinkBytes + 1];
        fixed (byte* buffer = target)
        {
            Check(TreeSyscalls.ReadLink(from, name, buffer, MaxLinkBytes) >= 0);
        }

        Check(TreeSyscalls.SymbolicLink(target, to, name) == 0);
    }

    private static void CopyAttributes(SafeFileHandle from, SafeFileHandle to, byte[] name)
    {
        // There are no *at calls for attributes before Linux 6.13.
        var (source, target) = (ProcPath(from, name), ProcPath(to, name));
        var list = new byte[MaxAttributeBytes];
        var value = new byte[MaxAttributeBytes];
        fixed (byte* listBuffer = list)
        fixed (byte* valueBuffer = value)
        {
            var length = TreeSyscalls.ListAttributes(source, listBuffer, MaxAttributeBytes);
            Check(length >= 0 || Marshal.GetLastPInvokeError() == Errno.EOPNOTSUPP);
            for (var start = 0; start < length;)
            {
                var end = Array.IndexOf(list, (byte)0, start) + 1;
                var attribute = list[start..end];
                start = end;
                if (OverlayAttributes.Owns(attribute))
                {
                    continue;
                }

                var size = TreeSyscalls.GetAttribute(source, attribute, valueBuffer, MaxAttributeBytes);
                Check(size >= 0 && TreeSyscalls.SetAttribute(target, attribute, valueBuffer, (nuint)size, 0) == 0);
            }
        }
    }

    // Before the attributes: a change of owner takes file capabilities away.
    private static void ApplyOwner(SafeFileHandle parent, byte[] name, FileStatus status) =>
        Check(TreeSyscalls.ChangeOwner(parent, name, status.Uid, status.Gid, TreeSyscalls.NoFollow) == 0);

    private static void ApplyStatus(SafeFileHandle parent, byte[] name, FileStatus status)
    {
        if (status.Type != FileType.Symlink)
        {
            Check(TreeSyscalls.ChangeMode(parent, name, status.Mode & PermissionMask, 0) == 0);
        }

        var times = stackalloc long[]
        {
            status.AccessTime.Seconds, status.AccessTime.Nanoseconds,
            status.ModifyTime.Seconds, status.ModifyTime.Nanoseconds,
        };
        Check(TreeSyscalls.SetTimes(parent, name, times, TreeSyscalls.NoFollow) == 0);
    }

    private static byte[] ProcPath(SafeFileHandle parent, byte[] name) =>
        [.. Encoding.ASCII.GetBytes($"/proc/self/fd/{parent.DangerousGetHandle()}/"), .. name];

    private static ulong Device(FileStatus status) =>
        (status.RdevMinor & 0xFFUL) | ((status.RdevMajor & 0xFFFUL) << 8)
        | ((status.RdevMinor & ~0xFFUL) << 12) | ((status.RdevMajor & ~0xFFFUL) << 32);

    private static void Check(bool succeeded)
    {
        if (!succeeded)
        {
            Check(Marshal.GetLastPInvokeError());
        }
    }

    private static void Check(int errno)
    {
        if (errno != 0)
        {
            throw Errno.ToException(errno, "A snapshot's files cannot be copied");
        }
    }
}
