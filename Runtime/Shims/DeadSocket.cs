using System.Net.Sockets;
using ImageStore.Store.Interop;

namespace ImageStore.Runtime.Shims;

/// <summary>The socket of a shim that was killed, which not every shim's <c>delete</c> removes.</summary>
internal static class DeadSocket
{
    private const uint TypeMask = 0xF000;
    private const uint SocketType = 0xC000;

    /// <summary>Removes it, unless somebody listens there: containers of a group have one shim.</summary>
    public static void Remove(ShimAddress address)
    {
        // Connecting to a file that is no socket is refused as well.
        if ((FileMetadata.TryGet(address.Socket)?.Mode & TypeMask) == SocketType && IsDead(address.Socket))
        {
            File.Delete(address.Socket);
        }
    }

    private static bool IsDead(string path)
    {
        using var probe = new Socket(AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return false;
        }
        catch (SocketException failure)
        {
            return failure.SocketErrorCode == SocketError.ConnectionRefused;
        }
    }
}
