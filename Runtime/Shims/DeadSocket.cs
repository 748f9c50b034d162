using System.Net.Sockets;
using System.Runtime.InteropServices;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Runtime.Shims;

/// <summary>The socket of a shim that was killed, which not every shim's <c>delete</c> removes.</summary>
internal static partial class DeadSocket
{
    private const uint TypeMask = 0xF000;
    private const uint SocketType = 0xC000;
    private const int Exclusive = 2; // LOCK_EX
    private const int NoWait = 4; // LOCK_NB

    /// <summary>Removes it, unless somebody listens there: containers of a group have one shim.</summary>
    /// <remarks>Our shim locks the directory while it finds out whether it is to listen there; meanwhile nothing is removed.</remarks>
    public static void Remove(ShimAddress address)
    {
        if (Path.GetDirectoryName(address.Socket) is { } parent && Directory.Exists(parent))
        {
            using var folder = OpenAt.HostDirectory(parent);
            if (Lock(folder, Exclusive | NoWait) == 0 && IsSocket(address.Socket) && IsDead(address))
            {
                File.Delete(address.Socket);
            }
        }
    }

    /// <summary>Does nobody listen there? What the kernel says for want of something of ours is no answer.</summary>
    public static bool IsDead(ShimAddress address)
    {
        if (!File.Exists(address.Socket))
        {
            return true;
        }

        try
        {
            using var probe = new Socket(AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            probe.Connect(new UnixDomainSocketEndPoint(address.Socket));
            return false;
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException)
        {
            return failure is SocketException { SocketErrorCode: SocketError.ConnectionRefused };
        }
    }

    // Connecting to a file that is no socket is refused as well.
    private static bool IsSocket(string path) => (FileMetadata.TryGet(path)?.Mode & TypeMask) == SocketType;

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(SafeFileHandle file, int operation);
}
