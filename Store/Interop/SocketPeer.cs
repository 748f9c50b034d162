using System.Buffers.Binary;
using System.Net.Sockets;

namespace ImageStore.Store.Interop;

/// <summary>Who is at the other end of a Unix socket, as the kernel noted it when the connection was made.</summary>
public static class SocketPeer
{
    /// <summary>What stands for a user that this user namespace has no number for: whoever it is, it is nobody in particular.</summary>
    public const uint Overflow = 65534;

    private const int SocketLevel = 1; // SOL_SOCKET
    private const int PeerCredentials = 17; // SO_PEERCRED
    private const int CredentialsBytes = 12;
    private const int UserOffset = 4;
    private const int GroupOffset = 8;

    /// <summary>The process, user and group, in effect then; null where the kernel does not tell.</summary>
    public static (int Process, uint User, uint Group)? Of(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        Span<byte> credentials = stackalloc byte[CredentialsBytes];
        try
        {
            if (socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials) != CredentialsBytes)
            {
                return null;
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            return null;
        }

        var user = BinaryPrimitives.ReadUInt32LittleEndian(credentials[UserOffset..]);
        return user == uint.MaxValue
            ? null
            : (BinaryPrimitives.ReadInt32LittleEndian(credentials), user, BinaryPrimitives.ReadUInt32LittleEndian(credentials[GroupOffset..]));
    }

    /// <summary>The user; null where the kernel does not tell, or has no number for it.</summary>
    public static uint? UserOf(Socket socket) => Of(socket) is { User: not Overflow } peer ? peer.User : null;
}
