using System.Net.Sockets;
using System.Runtime.InteropServices;
using ImageStore.Store.Interop;

namespace ImageStore.Daemon.Authorization;

/// <summary>Who opened a connection, as the kernel noted it then.</summary>
/// <param name="User">The user, in effect.</param>
/// <param name="Group">The group, in effect.</param>
/// <param name="Process">The process; what it is by now nobody says.</param>
/// <param name="Groups">The groups beside.</param>
internal sealed record Peer(uint User, uint Group, int Process, IReadOnlyList<uint> Groups)
{
    /// <summary>What stands for a user or a group that this user namespace has no number for: whoever it is, it is nobody in particular.</summary>
    public const uint Overflow = SocketPeer.Overflow;

    private const int SocketLevel = 1; // SOL_SOCKET
    private const int PeerGroups = 59; // SO_PEERGROUPS
    private const int UsualGroups = 64;
    private const int MostGroups = 65536; // NGROUPS_MAX

    /// <summary>The one at the other end; null where the kernel does not tell.</summary>
    public static Peer? Of(Socket? socket)
    {
        return socket is not null && SocketPeer.Of(socket) is { } peer ? new Peer(peer.User, peer.Group, peer.Process, GroupsOf(socket)) : null;
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
