using System.Net.Sockets;
using System.Text;

namespace ImageStore.Daemon.Hosting;

/// <summary>Tells systemd how the daemon is, where that was asked for.</summary>
/// <remarks><see href="https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html">sd_notify(3)</see>.</remarks>
internal static class ServiceManager
{
    public const string Ready = "READY=1";
    public const string Stopping = "STOPPING=1";

    /// <summary>Sends <paramref name="state"/>; nobody who listens is no failure, since the daemon serves all the same.</summary>
    public static void Notify(string state, Func<string, string?> environment)
    {
        if (environment("NOTIFY_SOCKET") is not { Length: > 1 } address || address[0] is not ('/' or '@'))
        {
            return;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(address[0] == '@' ? '\0' + address[1..] : address));
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException)
        {
        }
    }
}
