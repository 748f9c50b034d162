using System.Runtime.InteropServices;
using System.Text;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
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

    // By their paths in the target: a tree may have more linked files than a process may have open ones.
    private readonly Dictionary<(uint, uint, ulong), (string Folder, byte[] Name)> _links = [];
    private SafeFileHandle? _root;

    /// <summary>Copies what is in <paramref name="source"/>, and its own attributes, into an existing directory.</summary>
    /// <exception cref="ImageStoreException">The disk refuses, or the tree is deeper than <see cref="LayerLimits.GreatestDepth"/>.</exception>
    public static void Copy(string source, string target, CancellationToken cancellationToken)
    {
        using var from = DirectoryHandle.Open(source);
        using var to = DirectoryHandle.Open(target);
        new TreeCopier(cancellationToken) { _root = to }.CopyEntries(from, to, string.Empty, 1);
        Check(FileStatus.ReadOpen((int)from.DangerousGetHandle(), out var status));
        byte[] self = [(byte)'.', 0];
        ApplyOwner(to, self, status);
        CopyAttributes(from, to, self);
        InodeChange.PermitOpen(to, status.Mode & PermissionMask, "a copied directory");
        ApplyTimes(to, self, status);
    }

    /// <summary>Copies one file that is no directory; <paramref name="name"/> ends with NUL and is not there yet.</summary>
    public static void CopyFile(SafeFileHandle from, SafeFileHandle to, byte[] name)
    {
        Check(FileStatus.ReadAt((int)from.DangerousGetHandle(), name, out var status));
        new TreeCopier(CancellationToken.None).CopyEntry(from, to, name, status, string.Empty, 1);
        if (status.Type != FileType.Symlink && Xattr.Get(from, name, AccessAcl) is null && Xattr.Get(to, name, AccessAcl) is not null)
        {
            // Inherited from the default ACL of the directory that it came into.
            Xattr.Remove(to, name, AccessAcl, "a copied file");
        }
    }

    private static ReadOnlySpan<byte> AccessAcl => "system.posix_acl_access\0"u8;

    private void CopyEntries(SafeFileHandle from, SafeFileHandle to, string folder, int depth)
    {
        if (depth > LayerLimits.GreatestDepth)
        {
            throw new ImageStoreException(
                ErrorKind.LimitExceeded,
                $"A snapshot has more than {LayerLimits.GreatestDepth} directories in each other, and cannot be copied.",
                "Remove them in the snapshot that has them.");
        }

        foreach (var (name, _) in Mounts.DirectoryEntries.Read(from))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Check(FileStatus.ReadAt((int)from.DangerousGetHandle(), name, out var status));
            CopyEntry(from, to, name, status, folder, depth);
        }
    }

    private void CopyEntry(SafeFileHandle from, SafeFileHandle to, byte[] name, FileStatus status, string folder, int depth)
    {
        var shared = status.LinkCount > 1 && status.Type != FileType.Directory && _root is not null;
        var inode = (status.DevMajor, status.DevMinor, status.Inode);
        if (shared && _links.TryGetValue(inode, out var first))
        {
            using var other = OpenAt.Directory(_root!, RootedPath.Name(first.Folder)) ?? throw KernelError.Last("open a copied directory");
            NameAt.Link(other, first.Name, to, name, "a copied file");
            return;
        }

        SafeFileHandle? made = null;
        try
        {
            made = Make(from, to, name, status, folder, depth);
            ApplyOwner(to, name, status);
            CopyAttributes(from, to, name);
            if (status.Type != FileType.Symlink)
            {
                Permit(made, to, name, status.Mode & PermissionMask);
            }

            ApplyTimes(to, name, status);
        }
        finally
        {
            made?.Dispose();
        }

        if (shared)
        {
            _links[inode] = (folder.Length == 0 ? "." : folder, name);
        }
    }

    // A handle of what was made, where making it gave one.
    private SafeFileHandle? Make(SafeFileHandle from, SafeFileHandle to, byte[] name, FileStatus status, string folder, int depth)
    {
        switch (status.Type)
        {
            case FileType.Directory:
                Check(TreeSyscalls.MakeDirectory(to, name, PrivateFile | 0x40) == 0);
                using (var source = DirectoryHandle.OpenChild(from, name))
                {
                    var target = DirectoryHandle.OpenChild(to, name);
                    var path = Encoding.Latin1.GetString(name.AsSpan(0, name.Length - 1));
                    CopyEntries(source, target, folder.Length == 0 ? path : $"{folder}/{path}", depth + 1);
                    return target;
                }

            case FileType.Regular:
                return CopyContent(from, to, name, status);
            case FileType.Symlink:
                CopyLink(from, to, name);
                return null;
            default:
                Check(TreeSyscalls.MakeNode(to, name, status.Mode, Device(status)) == 0);
                return null;
        }
    }

    private static SafeFileHandle CopyContent(SafeFileHandle from, SafeFileHandle to, byte[] name, FileStatus status)
    {
        using var source = Source(from, name, status);
        var target = DirectoryHandle.OpenFile(to, name, WriteCreateExclusive, (int)PrivateFile);
        try
        {
            CopyContent(source, target, (long)status.Size);
            return target;
        }
        catch
        {
            target.Dispose();
            throw;
        }
    }

    // What was looked at and nothing else: to open a fifo or device that took its name would hang us or act.
    private static SafeFileHandle Source(SafeFileHandle from, byte[] name, FileStatus status)
    {
        using var inode = OpenAt.Inode(from, name) ?? throw KernelError.Last("open a file of a snapshot");
        return FileStatus.ReadOpen((int)inode.DangerousGetHandle(), out var now) == 0 && now.IsSameFile(status)
            ? OpenAt.Reopen(inode) ?? throw KernelError.Last("open a file of a snapshot")
            : throw new ImageStoreException(
                ErrorKind.FailedPrecondition, "A file of a snapshot changed while it was copied.", "Stop what writes to the snapshot, then try again.");
    }

    private static void CopyContent(SafeFileHandle source, SafeFileHandle target, long size)
    {
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

    // By a handle: by its name the kernel would follow a link that took its place.
    private static void Permit(SafeFileHandle? made, SafeFileHandle parent, byte[] name, uint mode)
    {
        if (made is not null)
        {
            InodeChange.PermitOpen(made, mode, "a copied file");
            return;
        }

        using var inode = OpenAt.Inode(parent, name) ?? throw KernelError.Last("open a copied file");
        InodeChange.Permit(inode, mode, "a copied file");
    }

    private static void ApplyTimes(SafeFileHandle parent, byte[] name, FileStatus status)
    {
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
