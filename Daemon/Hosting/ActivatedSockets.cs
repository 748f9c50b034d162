using System.Globalization;
using System.Net.Sockets;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Hosting;

/// <summary>The socket that systemd has bound before it started the daemon.</summary>
/// <remarks><see href="https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html">sd_listen_fds(3)</see>.</remarks>
internal static class ActivatedSockets
{
    private const int FirstDescriptor = 3; // SD_LISTEN_FDS_START

    /// <summary>The socket, or null where the daemon was started without one; the caller owns it.</summary>
    /// <exception cref="ImageStoreException">There are several (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static Socket? Take(Func<string, string?> environment)
    {
        if (environment("LISTEN_PID") != Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
            || environment("LISTEN_FDS") is not { } text)
        {
            return null;
        }

        return text == "1"
            ? new Socket(new SafeSocketHandle(FirstDescriptor, ownsHandle: true))
            : throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"systemd handed over {Printable.Of(text)} sockets.", "The socket unit has one ListenStream.");
    }
}
