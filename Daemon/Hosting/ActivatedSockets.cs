using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Hosting;

/// <summary>The socket that systemd has bound before it started the daemon.</summary>
/// <remarks><see href="https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html">sd_listen_fds(3)</see>.</remarks>
internal static partial class ActivatedSockets
{
    private const int FirstDescriptor = 3; // SD_LISTEN_FDS_START
    private const int SetFlags = 2; // F_SETFD
    private const int CloseOnExec = 1; // FD_CLOEXEC

    /// <summary>The socket, or null where the daemon was started without one; the caller owns it.</summary>
    /// <exception cref="ImageStoreException">There are several (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static Socket? Take(Func<string, string?> environment)
    {
        if (environment("LISTEN_PID") != Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
            || environment("LISTEN_FDS") is not { } text)
        {
            return null;
        }

        if (text != "1")
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"systemd handed over {Printable.Of(text)} sockets.", "The socket unit has one ListenStream.");
        }

        // Shims go on when this ends, and must not have the socket open then.
        if (ChangeDescriptor(FirstDescriptor, SetFlags, CloseOnExec) != 0)
        {
            throw IoErrors.FromErrno(Marshal.GetLastPInvokeError(), "Taking systemd's socket");
        }

        return new Socket(new SafeSocketHandle(FirstDescriptor, ownsHandle: true));
    }

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int ChangeDescriptor(int descriptor, int command, int flags);
}
