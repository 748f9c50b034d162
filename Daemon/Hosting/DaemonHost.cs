using System.Net.Sockets;
using Grpc.AspNetCore.Server;
using ImageStore.Daemon.Api;
using ImageStore.Daemon.Events;
using ImageStore.Daemon.Streaming;
using ImageStore.Engine.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
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
        var store = await ServedStore.OpenAsync(
            options.Engine, options.Address, failure => life.Tell($"maintenance failed, and is tried again: {failure.Message}"), stop)
            .ConfigureAwait(false);
        await using var closing = store.ConfigureAwait(false);
        var activated = ActivatedSockets.Take(Environment.GetEnvironmentVariable);
        using var socket = activated ?? ListenSocket.Bind(options.Address);
        try
        {
            await ServeAsync(store, life, socket, options.Address, stop).ConfigureAwait(false);
        }
        finally
        {
            if (activated is null)
            {
                File.Delete(options.Address);
            }
        }
    }

    private static async Task ServeAsync(ServedStore store, DaemonLife life, Socket socket, string address, CancellationToken stop)
    {
        var app = Build(store, life, socket, address);
        await using var closing = app.ConfigureAwait(false);
        await app.StartAsync(stop).ConfigureAwait(false);
        life.Tell($"serving {store.Root} on {address}");
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

    private static WebApplication Build(ServedStore store, DaemonLife life, Socket socket, string address)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore()
            .UseSockets(transport => transport.CreateBoundListenSocket = _ => socket)
            .ConfigureKestrel(kestrel => Configure(kestrel, address));
        builder.Services.AddLogging();
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc(ConfigureGrpc);
        builder.Services.AddSingleton(life).AddSingleton(store).AddSingleton(store.Time).AddSingleton<Tenants>().AddSingleton<EventHub>()
            .AddSingleton<StreamTable>();
        AddServices(builder.Services);
        var app = builder.Build();
        app.Use(next => context => PeerGate.RunAsync(context, next));
        app.UseRouting();
        MapServices(app);
        return app;
    }

    private static void AddServices(IServiceCollection services) => services
        .AddSingleton<PluginList>().AddSingleton<VersionService>().AddSingleton<IntrospectionService>().AddSingleton<HealthService>()
        .AddSingleton<NamespacesService>().AddSingleton<LeasesService>()
        .AddSingleton<ContentService>().AddSingleton<ImagesService>()
        .AddSingleton<SnapshotsService>().AddSingleton<DiffService>()
        .AddSingleton<ContainersService>().AddSingleton<EventsService>()
        .AddSingleton<StreamingService>().AddSingleton<TransferService>();

    private static void MapServices(WebApplication app)
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
        app.MapGrpcService<EventsService>();
        app.MapGrpcService<StreamingService>();
        app.MapGrpcService<TransferService>();
    }

    private static void ConfigureGrpc(GrpcServiceOptions grpc)
    {
        grpc.MaxReceiveMessageSize = DaemonLimits.MessageBytes;
        grpc.MaxSendMessageSize = DaemonLimits.MessageBytes;
        grpc.Interceptors.Add<ErrorInterceptor>();
    }

    private static void Configure(KestrelServerOptions kestrel, string address)
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
        kestrel.ListenUnixSocket(address, listen => listen.Protocols = HttpProtocols.Http2);
    }
}
