using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Interop;

/// <summary>Changes one inode through its handle, so that no name can be swapped in between.</summary>
public static class InodeChange
{
    private const int EmptyPath = 0x1000;
    private const long OmitTime = (1L << 30) - 2;

    /// <summary>Sets owner and group.</summary>
    public static void Own(SafeFileHandle inode, uint uid, uint gid, string entry) =>
        Check(LibC.ChownAt(inode, "\0"u8, uid, gid, EmptyPath), "change the owner of", entry);

    /// <summary>Sets permission bits, whatever the umask.</summary>
    public static void Permit(SafeFileHandle inode, uint mode, string entry) =>
        Check(LibC.Chmod(ProcPath(inode), mode), "change the mode of", entry);

    /// <summary>Sets permission bits of a file that is open for more than its path, with one call.</summary>
    public static void PermitOpen(SafeFileHandle file, uint mode, string entry) =>
        Check(LibC.FChmod(file, mode), "change the mode of", entry);

    /// <summary>Sets the modification time, and the access time to the same.</summary>
    public static void Touch(SafeFileHandle inode, long seconds, uint nanoseconds, string entry) =>
        Check(
            LibC.UtimensAt(inode, "\0"u8, [seconds, nanoseconds == OmitTime ? 0 : nanoseconds, seconds, nanoseconds], EmptyPath),
            "set the time of", entry);

    internal static byte[] ProcPath(SafeFileHandle inode) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{inode.DangerousGetHandle()}\0"));

    internal static void Check(nint result, string verb, string entry)
    {
        if (result < 0)
        {
            throw KernelError.Last($"{verb} '{entry}'");
        }
    }
}
