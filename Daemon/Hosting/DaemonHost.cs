using System.Net.Sockets;
using Grpc.AspNetCore.Server;
using ImageStore.Daemon.Api;
using ImageStore.Daemon.Auditing;
using ImageStore.Daemon.Authorization;
using ImageStore.Daemon.Streaming;
using ImageStore.Engine.Configuration;
using ImageStore.Engine.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace ImageStore.Daemon.Hosting;

/// <summary>Serves a root on a socket, from the lock to the last call.</summary>
public static class DaemonHost
{
    /// <summary>Runs until it is cancelled, then lets calls that are under way end.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The root is served or the socket is used already, or one of them cannot be opened.</exception>
    public static async Task RunAsync(DaemonOptions options, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var life = new DaemonLife(options.Tell);
        var settings = options.Engine.Settings;
        var policy = AccessPolicy.Of(settings.Access);
        var group = settings.SocketGroup is { } named ? AccountId.OfGroup(named) : (uint?)null;
        var store = await ServedStore.OpenAsync(
            options.Engine, options.Address, failure => life.Tell($"maintenance failed, and is tried again: {failure.Message}"), stop)
            .ConfigureAwait(false);
        await using var closing = store.ConfigureAwait(false);
        using var state = StateFolder.Take(options.State, options.Engine.Root);
        var activated = ActivatedSockets.Take(Environment.GetEnvironmentVariable);
        var auditor = Auditor.Open(settings.Audit, life, store.Time);
        await using var auditing = auditor.ConfigureAwait(false);
        using var socket = activated ?? ListenSocket.Bind(options.Address, group);
        TellOfDoor(settings, isActivated: activated is not null, life);
        try
        {
            var shims = await TaskHost.StartAsync(options, state, store, life, stop).ConfigureAwait(false);
            await using var leaving = shims.ConfigureAwait(false);
            await ServeAsync(store, shims, life, new Entrance(socket, options.Address, policy, auditor), stop).ConfigureAwait(false);
        }
        finally
        {
            if (activated is null)
            {
                File.Delete(options.Address);
            }
        }
    }

    // What looks as if it let somebody in and does not is told, since nothing fails by it.
    private static void TellOfDoor(Settings settings, bool isActivated, DaemonLife life)
    {
        if (isActivated && settings.SocketGroup is not null)
        {
            life.Tell("systemd made the socket: SocketGroup= and SocketMode= of its unit hold, and not [daemon] socket_group");
        }
        else if (!isActivated && settings.SocketGroup is null && settings.Access.Count > 0)
        {
            life.Tell("[[access]] lets others call, but nobody except root and the daemon's own user can open the socket: set [daemon] socket_group");
        }
    }

    private static async Task ServeAsync(ServedStore store, TaskHost shims, DaemonLife life, Entrance entrance, CancellationToken stop)
    {
        var app = Build(store, shims, life, entrance);
        await using var closing = app.ConfigureAwait(false);
        await app.StartAsync(stop).ConfigureAwait(false);
        life.Tell($"serving {store.Root} on {entrance.Address}");
        ServiceManager.Notify(ServiceManager.Ready, Environment.GetEnvironmentVariable);
        using var maintain = new CancellationTokenSource();
        var maintenance = Task.Run(() => store.MaintainAsync(maintain.Token), CancellationToken.None);
        try
        {
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            ServiceManager.Notify(ServiceManager.Stopping, Environment.GetEnvironmentVariable);
            await life.StopAsync().ConfigureAwait(false);
            using var grace = new CancellationTokenSource(DaemonLimits.StopGrace, store.Time);
            await app.StopAsync(grace.Token).ConfigureAwait(false);
            await maintain.CancelAsync().ConfigureAwait(false);
            await maintenance.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static WebApplication Build(ServedStore store, TaskHost shims, DaemonLife life, Entrance entrance)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore()
            .UseSockets(transport => transport.CreateBoundListenSocket = _ => entrance.Socket)
            .ConfigureKestrel(kestrel => Configure(kestrel, entrance));
        builder.Services.AddLogging();
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc(ConfigureGrpc);
        builder.Services.AddSingleton(life).AddSingleton(store).AddSingleton(store.Time).AddSingleton<Tenants>().AddSingleton(shims.Events)
            .AddSingleton(shims.Tasks).AddSingleton<StreamTable>();
        builder.Services.AddSingleton(entrance.Auditor).AddSingleton<AuditInterceptor>().AddSingleton<ErrorInterceptor>().AddSingleton<AccessInterceptor>();
        AddServices(builder.Services);
        var app = builder.Build();
        app.Use(next => context => PeerGate.RunAsync(context, next, entrance.Auditor));
        app.UseRouting();
        MapServices(app);
        return app;
    }

    private static void AddServices(IServiceCollection services) => services
        .AddSingleton<PluginList>().AddSingleton<VersionService>().AddSingleton<IntrospectionService>().AddSingleton<HealthService>()
        .AddSingleton<NamespacesService>().AddSingleton<LeasesService>()
        .AddSingleton<ContentService>().AddSingleton<ImagesService>()
        .AddSingleton<SnapshotsService>().AddSingleton<DiffService>()
        .AddSingleton<ContainersService>().AddSingleton<TasksService>().AddSingleton<EventsService>()
        .AddSingleton<StreamingService>().AddSingleton<TransferService>()
        .AddSingleton<StoreService>();

    internal static void MapServices(IEndpointRouteBuilder app)
    {
        app.MapGrpcService<VersionService>();
        app.MapGrpcService<IntrospectionService>();
        app.MapGrpcService<HealthService>();
        app.MapGrpcService<NamespacesService>();
        app.MapGrpcService<LeasesService>();
        app.MapGrpcService<ContentService>();
        app.MapGrpcService<ImagesService>();
        app.MapGrpcService<SnapshotsService>();
        app.MapGrpcService<DiffService>();
        app.MapGrpcService<ContainersService>();
        app.MapGrpcService<TasksService>();
        app.MapGrpcService<EventsService>();
        app.MapGrpcService<StreamingService>();
        app.MapGrpcService<TransferService>();
        app.MapGrpcService<StoreService>();
    }

    private static void ConfigureGrpc(GrpcServiceOptions grpc)
    {
        grpc.MaxReceiveMessageSize = DaemonLimits.MessageBytes;
        grpc.MaxSendMessageSize = DaemonLimits.MessageBytes;

        // In this order: what is refused gets its code, and what has its code is recorded.
        grpc.Interceptors.Add<AuditInterceptor>();
        grpc.Interceptors.Add<ErrorInterceptor>();
        grpc.Interceptors.Add<AccessInterceptor>();
    }

    private static void Configure(KestrelServerOptions kestrel, Entrance entrance)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = DaemonLimits.Connections;
        kestrel.Limits.MaxRequestHeadersTotalSize = DaemonLimits.HeaderBytes;
        kestrel.Limits.Http2.MaxStreamsPerConnection = DaemonLimits.StreamsPerConnection;
        kestrel.Limits.Http2.InitialStreamWindowSize = DaemonLimits.StreamWindowBytes;
        kestrel.Limits.Http2.InitialConnectionWindowSize = DaemonLimits.ConnectionWindowBytes;

        // A write of a large blob and a subscription take as long as they take.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.ListenUnixSocket(entrance.Address, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;

            var shares = new ConnectionShares();
            listen.Use(next => connection => EnterAsync(connection, next, entrance.Policy, shares));
        });
    }

    // Once for a connection: it belongs to whom it belonged to when it was opened.
    private static async Task EnterAsync(ConnectionContext connection, ConnectionDelegate next, AccessPolicy policy, ConnectionShares shares)
    {
        var caller = policy.CallerOf(Peer.Of(connection.Features.Get<IConnectionSocketFeature>()?.Socket));
        if (!shares.TryTake(caller))
        {
            return;
        }

        try
        {
            connection.Features.Set(caller);
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            shares.Return(caller);
        }
    }

    /// <summary>How callers come in.</summary>
    private sealed record Entrance(Socket Socket, string Address, AccessPolicy Policy, Auditor Auditor);
}
