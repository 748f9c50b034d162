using System.Runtime.InteropServices;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>The kernel's calls about mounts. The numbers are the same on x64 and arm64.</summary>
internal static partial class MountSyscalls
{
    public const int DetachFlag = 2;
    public const int NoFollowFlag = 8;
    public const int WriteAccess = 2;

    /// <summary>Show owners through a user namespace's maps (MOUNT_ATTR_IDMAP).</summary>
    public const ulong MapIds = 0x100000;

    private const int SysOpenTree = 428;
    private const int SysMoveMount = 429;
    private const int SysFsOpen = 430;
    private const int SysFsConfig = 431;
    private const int SysFsMount = 432;
    private const int SysMountSetAttr = 442;
    private const int CloneTree = 1;
    private const int TreeCloseOnExec = 0x80000;
    private const int EmptyPath = 0x1000;
    private const int CloseOnExec = 1;
    private const int ConfigSetFlag = 0;
    private const int ConfigSetString = 1;
    private const int ConfigCreate = 6;
    private const int AtCurrentDirectory = -100;
    private const int MoveFromEmptyPath = 4;
    private const int CloneFs = 0x200;

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Mount(string source, string target, string? type, ulong flags, string? data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unmount(string target, int flags);

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "chdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeDirectory(string path);

    /// <summary>Gives the calling thread its own working directory.</summary>
    public static int UnshareWorkingDirectory() => Unshare(CloneFs);

    public static nint FsOpen(string type) => SyscallString(SysFsOpen, type, CloseOnExec);

    public static nint FsConfigString(nint context, string key, string value) =>
        SyscallKeyValue(SysFsConfig, context, ConfigSetString, key, value, 0);

    public static nint FsConfigFlag(nint context, string key) =>
        SyscallKeyValue(SysFsConfig, context, ConfigSetFlag, key, null, 0);

    public static nint FsConfigCreate(nint context) =>
        SyscallKeyValue(SysFsConfig, context, ConfigCreate, null, null, 0);

    public static nint FsMount(nint context, nint attributes) =>
        SyscallNumbers(SysFsMount, context, CloseOnExec, attributes);

    public static nint MoveMount(nint mount, string target) =>
        SyscallMove(SysMoveMount, mount, string.Empty, AtCurrentDirectory, target, MoveFromEmptyPath);

    /// <summary>A mount of a directory that is attached nowhere; closing the handle undoes it.</summary>
    public static nint OpenTree(string path) => SyscallOpenTree(SysOpenTree, AtCurrentDirectory, path, CloneTree | TreeCloseOnExec);

    /// <summary>Sets attributes on a mount that <see cref="OpenTree"/> gave.</summary>
    public static nint SetAttributes(nint mount, in MountAttributes attributes) =>
        SyscallSetAttributes(SysMountSetAttr, mount, string.Empty, EmptyPath, in attributes, Marshal.SizeOf<MountAttributes>());

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int handle);

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint SyscallString(nint number, string text, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SyscallNumbers(nint number, nint a, nint b, nint c);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint SyscallKeyValue(
        nint number, nint handle, nint command, string? key, string? value, nint aux);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint SyscallMove(
        nint number, nint from, string fromPath, nint to, string toPath, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint SyscallOpenTree(nint number, nint at, string path, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint SyscallSetAttributes(
        nint number, nint at, string path, nint flags, in MountAttributes attributes, nint size);
}

/// <summary>The kernel's mount_attr record.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MountAttributes
{
    public ulong Set;
    public ulong Clear;
    public ulong Propagation;
    public ulong UserNamespace;
}
