using System.Globalization;
using Grpc.Core;
using ImageStore.Daemon.Api;
using ImageStore.Daemon.Auditing;
using ImageStore.Daemon.Authorization;
using Microsoft.AspNetCore.Http;

namespace ImageStore.Daemon.Hosting;

/// <summary>Lets only those in who may do anything at all, as the kernel says who is at the other end.</summary>
internal static class PeerGate
{
    private static readonly Caller s_nobody = new(null, MayEverything: false, []);

    /// <summary>Answers a caller who may not enter, or goes on.</summary>
    public static Task RunAsync(HttpContext context, RequestDelegate next, Auditor auditor)
    {
        var caller = context.Features.Get<Caller>() ?? s_nobody;
        return caller.IsKnown ? next(context) : RefuseAsync(context, caller, auditor);
    }

    private static async Task RefuseAsync(HttpContext context, Caller caller, Auditor auditor)
    {
        var @namespace = context.Request.Headers[Tenants.NamespaceHeader].ToString();
        await auditor.RecordAsync(
            caller.Peer, context.Request.Path.Value ?? string.Empty, @namespace.Length > 0 ? @namespace : null, null, StatusCode.PermissionDenied)
            .ConfigureAwait(false);

        // gRPC's status without a message is headers alone.
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = ((int)StatusCode.PermissionDenied).ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["grpc-message"] = Uri.EscapeDataString(
            $"{caller} may not use this daemon: only root, the daemon's own user and whom its config.toml names in [[access]] may.");
    }
}
