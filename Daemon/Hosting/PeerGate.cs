using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Grpc.Core;
using ImageStore.Store.Interop;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Daemon.Hosting;

/// <summary>Lets only root and the daemon's own user in, as the kernel says who is at the other end.</summary>
internal static class PeerGate
{
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int PeerCredentials = 17; // SO_PEERCRED
    private const int CredentialsBytes = 12;
    private const int UserOffset = 4;
    private const int CurrentDirectory = -100; // AT_FDCWD
    private static readonly uint? s_own = OwnUser();

    /// <summary>Answers a caller who may not enter, or goes on.</summary>
    public static Task RunAsync(HttpContext context, RequestDelegate next)
    {
        var user = UserOf(context.Features.Get<IConnectionSocketFeature>()?.Socket);
        return IsAllowed(user, s_own) ? next(context) : RefuseAsync(context, user);
    }

    internal static bool IsAllowed(uint? user, uint? own) => user is { } known && (known == 0 || known == own);

    /// <summary>The user at the other end; null where the kernel does not tell.</summary>
    internal static uint? UserOf(Socket? socket)
    {
        Span<byte> credentials = stackalloc byte[CredentialsBytes];
        try
        {
            return socket?.GetRawSocketOption(SocketLevel, PeerCredentials, credentials) == CredentialsBytes
                ? BinaryPrimitives.ReadUInt32LittleEndian(credentials[UserOffset..])
                : null;
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }

    private static uint? OwnUser()
    {
        using var at = new SafeFileHandle(CurrentDirectory, ownsHandle: false);
        return FileMetadata.TryGet(at, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}\0")))?.Uid;
    }

    private static Task RefuseAsync(HttpContext context, uint? user)
    {
        // gRPC's status without a message is headers alone.
        var who = user is { } id ? string.Create(CultureInfo.InvariantCulture, $"The user {id}") : "A caller that the kernel does not know";
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = ((int)StatusCode.PermissionDenied).ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["grpc-message"] = Uri.EscapeDataString($"{who} may not use this daemon: only root and the daemon's own user may.");
        return Task.CompletedTask;
    }
}
