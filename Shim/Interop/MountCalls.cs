using System.Runtime.InteropServices;
using ImageStore.Runtime.Mounts;

namespace ImageStore.Shim.Interop;

/// <summary>The kernel's calls for mounts; each gives 0 or a descriptor, or -1 with <see cref="Errno.Last"/>.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Interoperability", "SYSLIB1054", Justification = "Generated already.")]
internal static partial class MountCalls
{
    public const ulong Remount = 32;
    public const ulong Bind = 4096;
    public const ulong Recursive = 16384;
    public const int Detach = 2;
    public const int DoNotFollow = 8;
    public const int ConfigureString = 1;
    public const int ConfigureFlag = 0;
    public const int ConfigureCreate = 6;

    // The same on every architecture that came after the calls themselves, and on x86-64.
    private const nint MoveMountNumber = 429;
    private const nint FsOpenNumber = 430;
    private const nint FsConfigNumber = 431;
    private const nint FsMountNumber = 432;
    private const nint OpenAt2Number = 437;
    private const nint CloseOnExec = 1;
    private const nint EmptyPath = 4; // MOVE_MOUNT_F_EMPTY_PATH
    private const nint CurrentDirectory = -100;
    private const ulong ResolveInRoot = 0x10;
    private const ulong OpenPath = 0x280000; // O_PATH | O_CLOEXEC

    public static int Mount(string source, string target, string? type, ulong flags, string? data) => MountCore(source, target, type, flags, data);

    public static int Unmount(string target, int flags) => MountPoints.Unmount(target, flags);

    public static int ChangeDirectory(string path) => ChangeDirectoryCore(path);

    public static nint OpenFileSystem(string type) => FsOpen(FsOpenNumber, type, CloseOnExec);

    public static nint Configure(nint context, nint command, string? key, string? value) => FsConfig(FsConfigNumber, context, command, key, value, 0);

    public static nint MakeMount(nint context, ulong attributes) => FsMount(FsMountNumber, context, CloseOnExec, (nint)attributes);

    public static nint MoveMount(nint mount, string target) => MoveMountCore(MoveMountNumber, mount, string.Empty, CurrentDirectory, target, EmptyPath);

    /// <summary>Opens what a path names inside a directory, out of which no link and no <c>..</c> leads.</summary>
    public static nint OpenInside(nint directory, string path)
    {
        ReadOnlySpan<ulong> how = [OpenPath, 0, ResolveInRoot];
        return OpenAt2(OpenAt2Number, directory, path, how, how.Length * sizeof(ulong));
    }

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MountCore(string source, string target, string? type, ulong flags, string? data);

    [LibraryImport("libc", EntryPoint = "chdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeDirectoryCore(string path);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint FsOpen(nint number, string type, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint FsConfig(nint number, nint context, nint command, string? key, string? value, nint auxiliary);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint FsMount(nint number, nint context, nint flags, nint attributes);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint MoveMountCore(nint number, nint from, string fromPath, nint to, string toPath, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint OpenAt2(nint number, nint directory, string path, ReadOnlySpan<ulong> how, nint size);
}
