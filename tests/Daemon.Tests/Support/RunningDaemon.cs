using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using ImageStore.Daemon.Hosting;
using ImageStore.Distribution.Registry;
using ImageStore.Engine;
using ImageStore.Engine.Configuration;
using ImageStore.Gc.Scheduling;

namespace ImageStore.Daemon.Tests.Support;

/// <summary>A daemon in this process, with a root and a socket of its own.</summary>
internal sealed class RunningDaemon : IAsyncDisposable
{
    private static readonly TimeSpan s_never = TimeSpan.FromDays(1);
    private readonly DirectoryInfo _work;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;
    private readonly RegistryOptions _registry;

    private RunningDaemon(DirectoryInfo work, RegistryOptions registry, TaskCompletionSource ready)
    {
        (_work, _registry) = (work, registry);
        Address = Path.Combine(work.FullName, "sock");
        _run = DaemonHost.RunAsync(Options(Address, ready.SetResult), _stop.Token);
        Channel = Open(Address);
    }

    public string Address { get; }

    public GrpcChannel Channel { get; }

    public string Root => Path.Combine(_work.FullName, "root");

    /// <summary>Starts one.</summary>
    /// <param name="registry">How it speaks to registries.</param>
    public static async Task<RunningDaemon> StartAsync(RegistryOptions? registry = null)
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var daemon = new RunningDaemon(Directory.CreateTempSubdirectory("imagestored-"), registry ?? new RegistryOptions(), ready);
        await await Task.WhenAny(ready.Task, daemon._run);
        return daemon;
    }

    /// <summary>How another daemon would be started on the same root.</summary>
    public DaemonOptions Options(string address, Action? ready = null) => new()
    {
        // What a test writes without a lease stays: nothing collects by itself.
        Engine = new EngineOptions
        {
            Root = Root,
            Registry = _registry,
            Settings = new Settings { Collection = new SchedulerOptions { StartupDelay = s_never, Interval = s_never, MutationThreshold = 0 } },
        },
        Address = address,
        Tell = line =>
        {
            if (line.StartsWith("serving ", StringComparison.Ordinal))
            {
                ready?.Invoke();
            }
        },
    };

    /// <summary>The headers of a call.</summary>
    public static Metadata In(string @namespace, string? lease = null)
    {
        var headers = new Metadata { { "containerd-namespace", @namespace } };
        if (lease is not null)
        {
            headers.Add("containerd-lease", lease);
        }

        return headers;
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _run;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Channel.Dispose();
        _stop.Dispose();
        _work.Delete(recursive: true);
    }

    private static GrpcChannel Open(string address) => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        DisposeHttpClient = true,
        MaxReceiveMessageSize = null,
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(address), token);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        },
    });
}
