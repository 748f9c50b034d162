using System.Net.Sockets;
using System.Text;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Daemon.Hosting;

/// <summary>The daemon's own socket in the file system, which its owner can open and, where there is one, a group.</summary>
internal static class ListenSocket
{
    private const int Backlog = 512;
    private const uint Unchanged = uint.MaxValue;
    private const uint TypeMask = 0xF000;
    private const uint SocketType = 0xC000;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerAndGroup = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
    private const UnixFileMode Traversable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Binds <paramref name="address"/>; a socket that nobody listens on any more is replaced.</summary>
    /// <param name="address">The path.</param>
    /// <param name="group">The group; null for none.</param>
    /// <exception cref="ImageStoreException">Somebody listens there (<see cref="ErrorKind.FailedPrecondition"/>), something else is there, or
    /// the kernel refuses.</exception>
    public static Socket Bind(string address, uint? group)
    {
        var path = Path.GetFullPath(address);
        UnixDomainSocketEndPoint place;
        try
        {
            place = new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentException failure)
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"The socket's path {Printable.Of(path)} is too long.", "The kernel takes 107 bytes.", failure);
        }

        var socket = new Socket(AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, Traversable);
            RemoveStale(path, place);
            socket.Bind(place);

            // Before it listens, so that there is no moment in which others can connect.
            File.SetUnixFileMode(path, OwnerOnly);
            if (group is { } id)
            {
                GiveTo(id, path);
                File.SetUnixFileMode(path, OwnerAndGroup);
            }

            socket.Listen(Backlog);
            return socket;
        }
        catch (Exception failure) when (failure is SocketException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new ImageStoreException(
                ErrorKind.PermissionDenied,
                $"The socket {Printable.Of(path)} cannot be made: {Printable.Of(failure.Message)}",
                "Choose another one with --address.",
                failure);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void GiveTo(uint group, string path)
    {
        using var folder = OpenAt.HostDirectory(Path.GetDirectoryName(path)!);
        using var inode = OpenAt.Inode(folder, Encoding.UTF8.GetBytes(Path.GetFileName(path) + '\0'))
            ?? throw KernelError.Last($"open '{Printable.Of(path)}'");
        InodeChange.Own(inode, Unchanged, group, Printable.Of(path));
    }

    private static void RemoveStale(string path, UnixDomainSocketEndPoint place)
    {
        if (!File.Exists(path))
        {
            return;
        }

        using var probe = new Socket(AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(place);
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.ConnectionRefused && IsSocket(path))
        {
            File.Delete(path);
            return;
        }
        catch (SocketException)
        {
            // It is told below.
        }

        throw new ImageStoreException(
            ErrorKind.FailedPrecondition,
            $"Somebody listens on {Printable.Of(path)} already, or it is no socket.",
            "Stop that one, or choose another address with --address.");
    }

    // Connecting to a file that is none is refused as well.
    private static bool IsSocket(string path) => (FileMetadata.TryGet(path)?.Mode & TypeMask) == SocketType;
}
