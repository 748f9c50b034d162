using System.Runtime.InteropServices;
using System.Text;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Interop;

/// <summary>Stream sockets of the Unix kind.</summary>
internal static unsafe partial class UnixSockets
{
    private const int Family = 1;
    private const int StreamType = 1;
    private const int CloseOnExec = 0x80000;
    private const int Backlog = 128;
    private const int PathAt = 2;
    private const int AddressSize = 110;
    private const int SocketLevel = 1;
    private const int PeerCredentials = 17;
    private const int Rights = 1;
    private const int HeaderSize = 16; // of a control message with a descriptor
    private const int ControlSize = 64;
    private const int NameBytes = 4096;
    private const int ReceivedCloseOnExec = 0x40000000;

    /// <summary>Listens at a path, which nobody but the owner may open; null where the name is taken.</summary>
    public static SafeFileHandle? TryListen(string path)
    {
        var socket = Make();
        var address = AddressOf(path);
        fixed (byte* start = address)
        {
            if (Bind(socket, start, address.Length) != 0)
            {
                var taken = Errno.Last == Errno.AddressInUse;
                var failure = Errno.Failure($"Listening at {path}");
                socket.Dispose();
                return taken ? null : throw failure;
            }
        }

        // Nobody can connect before it listens, so nobody comes in by the mode that it was made with.
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        if (Listen(socket, Backlog) != 0)
        {
            var failure = Errno.Failure($"Listening at {path}");
            socket.Dispose();
            throw failure;
        }

        return socket;
    }

    /// <summary>Connects to a path, and does not wait for who is busy.</summary>
    /// <param name="path">Where somebody may listen.</param>
    /// <param name="connected">The connection, where there is one.</param>
    public static ConnectResult TryConnect(string path, out SafeFileHandle? connected)
    {
        connected = null;
        var socket = Make();
        var address = AddressOf(path);
        fixed (byte* start = address)
        {
            if (Connect(socket, start, address.Length) == 0)
            {
                connected = socket;
                return ConnectResult.Connected;
            }
        }

        var failure = Errno.Last;
        socket.Dispose();
        return failure switch
        {
            Errno.NotFound or Errno.ConnectionRefused => ConnectResult.Nobody,
            Errno.TryAgain => ConnectResult.Busy,
            _ => throw IoErrors.FromErrno(failure, $"Connecting to {path}"),
        };
    }

    /// <summary>Takes a connection that waits; null where none does.</summary>
    public static SafeFileHandle? TryAccept(SafeFileHandle listener)
    {
        while (true)
        {
            var connection = Accept(listener, null, null, CloseOnExec | Descriptors.NonBlocking);
            if (!connection.IsInvalid)
            {
                return connection;
            }

            var failure = Errno.Last;
            connection.Dispose();
            if (failure != Errno.Interrupted)
            {
                return failure == Errno.TryAgain ? null : throw IoErrors.FromErrno(failure, "Taking a connection");
            }
        }
    }

    /// <summary>The user at the other end.</summary>
    public static uint PeerOf(SafeFileHandle connection)
    {
        var credentials = stackalloc uint[3];
        var size = 3 * sizeof(uint);
        return GetOption(connection, SocketLevel, PeerCredentials, credentials, &size) == 0
            ? credentials[1] : throw Errno.Failure("Asking who is at the other end");
    }

    /// <summary>The file of a socket that listens.</summary>
    public static string PathOf(SafeFileHandle listener)
    {
        var address = stackalloc byte[AddressSize];
        var size = AddressSize;
        return GetName(listener, address, &size) == 0 && size > PathAt
            ? Encoding.UTF8.GetString(address + PathAt, size - PathAt).TrimEnd('\0')
            : throw Errno.Failure("Asking where a socket listens");
    }

    /// <summary>Takes the descriptor that was sent with a message, null where none was; false where no message has come.</summary>
    /// <remarks>unix(7), SCM_RIGHTS. There is room for one: the kernel closes any more.</remarks>
    public static bool TryTakeDescriptor(SafeFileHandle connection, out SafeFileHandle? descriptor)
    {
        descriptor = null;
        var name = stackalloc byte[NameBytes];
        var control = stackalloc byte[ControlSize];
        var piece = stackalloc nint[2];
        piece[0] = (nint)name;
        piece[1] = NameBytes;
        var message = new Message { Pieces = (nint)piece, PieceCount = 1, Control = (nint)control, ControlSize = HeaderSize + sizeof(nint) };
        nint got;
        do
        {
            got = Receive(connection, ref message, ReceivedCloseOnExec);
        }
        while (got < 0 && Errno.Last == Errno.Interrupted);

        if (got < 0)
        {
            return Errno.Last == Errno.TryAgain ? false : throw Errno.Failure("Receiving a terminal");
        }

        var isRights = message.ControlSize >= HeaderSize + sizeof(int) && *(int*)(control + 8) == SocketLevel && *(int*)(control + 12) == Rights;
        descriptor = isRights ? new SafeFileHandle(*(int*)(control + HeaderSize), true) : null;
        return true;
    }

    private static SafeFileHandle Make()
    {
        var socket = Open(Family, StreamType | CloseOnExec | Descriptors.NonBlocking, 0);
        return socket.IsInvalid ? throw Errno.Failure("Making a socket") : socket;
    }

    private static byte[] AddressOf(string path)
    {
        var name = Encoding.UTF8.GetBytes(path);
        if (name.Length + PathAt >= AddressSize)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, $"The socket's path {Printable.Of(path)} is too long.", "Use a shorter state directory.");
        }

        var address = new byte[PathAt + name.Length + 1];
        address[0] = Family;
        name.CopyTo(address, PathAt);
        return address;
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial SafeFileHandle Open(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(SafeFileHandle socket, byte* address, int size);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    private static partial int Listen(SafeFileHandle socket, int backlog);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int Connect(SafeFileHandle socket, byte* address, int size);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    private static partial SafeFileHandle Accept(SafeFileHandle socket, byte* address, int* size, int flags);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetOption(SafeFileHandle socket, int level, int option, void* value, int* size);

    [LibraryImport("libc", EntryPoint = "getsockname", SetLastError = true)]
    private static partial int GetName(SafeFileHandle socket, byte* address, int* size);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint Receive(SafeFileHandle socket, ref Message message, int flags);

    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public nint Name;
        public int NameSize;
        public nint Pieces;
        public nint PieceCount;
        public nint Control;
        public nint ControlSize;
        public int Flags;
    }
}
