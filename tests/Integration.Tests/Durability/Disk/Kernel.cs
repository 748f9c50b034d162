using System.Globalization;
using System.Runtime.InteropServices;

namespace ImageStore.Integration.Tests.Durability.Disk;

/// <summary>Kernel calls that .NET does not offer, on paths, links not followed.</summary>
internal static partial class Kernel
{
    private const int AtWorkingDirectory = -100;
    private const int AtSymlinkNoFollow = 0x100;
    private const long OmitTime = (1 << 30) - 2;
    private const int MaxXattrBytes = 65536;
    private const int TypeCharacterDevice = 0x2000;
    private const int TypeBlockDevice = 0x6000;
    private const int TypePipe = 0x1000;

    /// <summary>Who makes files here, as <c>uid:gid</c>.</summary>
    public static string Owner { get; } = string.Create(CultureInfo.InvariantCulture, $"{GetUserId()}:{GetGroupId()}");

    /// <summary>The permissions that new files do not get.</summary>
    public static int Umask { get; } = Convert.ToInt32(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith("Umask:", StringComparison.Ordinal))["Umask:".Length..].Trim(), 8);

    public static void SetOwner(string path, int user, int group) => Check(LChown(path, user, group), path);

    public static void SetTime(string path, long seconds, long nanoseconds)
    {
        ReadOnlySpan<long> times = [0, OmitTime, seconds, nanoseconds];
        Check(UTimeNsAt(AtWorkingDirectory, path, times, AtSymlinkNoFollow), path);
    }

    public static void MakeNode(string path, InodeKind kind, int mode, int major, int minor)
    {
        var type = kind switch
        {
            InodeKind.CharacterDevice => TypeCharacterDevice,
            InodeKind.BlockDevice => TypeBlockDevice,
            _ => TypePipe,
        };
        Check(MkNod(path, (uint)(type | mode), ((ulong)major << 8) | (uint)minor), path);
    }

    public static void Link(string from, string to) => Check(HardLink(from, to), to);

    public static void SetXattr(string path, string name, byte[] value) => Check(LSetXattr(path, name, value, value.Length, 0), path);

    /// <summary>Extended attributes with their values.</summary>
    public static IEnumerable<(string Name, byte[] Value)> Xattrs(string path)
    {
        var names = new byte[MaxXattrBytes];
        var length = LListXattr(path, names, names.Length);
        var text = System.Text.Encoding.UTF8.GetString(names, 0, (int)Math.Max(0, length));
        foreach (var name in text.Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var value = new byte[MaxXattrBytes];
            var bytes = LGetXattr(path, name, value, value.Length);
            if (bytes >= 0)
            {
                yield return (name, value[..(int)bytes]);
            }
        }
    }

    /// <summary>Kills a process that nobody has waited for yet.</summary>
    public static void Kill(int process)
    {
        const int SignalKill = 9;
        _ = SendSignal(process, SignalKill);
    }

    private static void Check(int result, string path)
    {
        if (result != 0)
        {
            throw new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    [LibraryImport("libc", EntryPoint = "getuid")]
    private static partial int GetUserId();

    [LibraryImport("libc", EntryPoint = "getgid")]
    private static partial int GetGroupId();

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LChown(string path, int user, int group);

    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UTimeNsAt(int folder, string path, ReadOnlySpan<long> times, int flags);

    [LibraryImport("libc", EntryPoint = "mknod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MkNod(string path, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int HardLink(string from, string to);

    [LibraryImport("libc", EntryPoint = "lsetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LSetXattr(string path, string name, byte[] value, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "llistxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint LListXattr(string path, byte[] names, nint length);

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint LGetXattr(string path, string name, byte[] value, nint length);
}
