using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImageStore.Daemon.Authorization;

/// <summary>Who opened a connection, as the kernel noted it then.</summary>
/// <param name="User">The user, in effect.</param>
/// <param name="Group">The group, in effect.</param>
/// <param name="Process">The process; what it is by now nobody says.</param>
/// <param name="Groups">The groups beside.</param>
internal sealed record Peer(uint User, uint Group, int Process, IReadOnlyList<uint> Groups)
{
    /// <summary>What stands for a user or a group that this user namespace has no number for: whoever it is, it is nobody in particular.</summary>
    public const uint Overflow = 65534;

    private const int SocketLevel = 1; // SOL_SOCKET
    private const int PeerCredentials = 17; // SO_PEERCRED
    private const int PeerGroups = 59; // SO_PEERGROUPS
    private const int CredentialsBytes = 12;
    private const int UserOffset = 4;
    private const int GroupOffset = 8;
    private const int UsualGroups = 64;
    private const int MostGroups = 65536; // NGROUPS_MAX

    /// <summary>The one at the other end; null where the kernel does not tell.</summary>
    public static Peer? Of(Socket? socket)
    {
        Span<byte> credentials = stackalloc byte[CredentialsBytes];
        try
        {
            if (socket?.GetRawSocketOption(SocketLevel, PeerCredentials, credentials) != CredentialsBytes)
            {
                return null;
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            return null;
        }

        var user = BinaryPrimitives.ReadUInt32LittleEndian(credentials[UserOffset..]);
        return user == uint.MaxValue ? null : new Peer(
            user, BinaryPrimitives.ReadUInt32LittleEndian(credentials[GroupOffset..]), BinaryPrimitives.ReadInt32LittleEndian(credentials), GroupsOf(socket));
    }

    private static uint[] GroupsOf(Socket socket) => TryGroups(socket, UsualGroups) ?? TryGroups(socket, MostGroups) ?? [];

    // A kernel before 4.13 does not tell; then there are none beside.
    private static uint[]? TryGroups(Socket socket, int most)
    {
        var groups = new uint[most];
        try
        {
            return groups[..(socket.GetRawSocketOption(SocketLevel, PeerGroups, MemoryMarshal.AsBytes(groups.AsSpan())) / sizeof(uint))];
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }
}
