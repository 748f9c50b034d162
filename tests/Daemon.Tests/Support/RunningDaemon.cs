using System.Collections.Concurrent;
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
    private readonly ConcurrentQueue<string> _told = [];
    private readonly Settings _settings;
    private readonly Task _run;
    private readonly RegistryOptions _registry;

    private RunningDaemon(DirectoryInfo work, string configuration, RegistryOptions registry, TaskCompletionSource ready)
    {
        (_work, _registry) = (work, registry);

        // Others have to reach the socket.
        File.SetUnixFileMode(_work.FullName, (UnixFileMode)0b111_001_001);
        var file = In(work, "config.toml");
        File.WriteAllText(file, configuration.Replace("WORK", work.FullName, StringComparison.Ordinal));
        _settings = SettingsFile.Read(file);
        Address = In(work, "sock");
        _run = DaemonHost.RunAsync(Options(Address, ready.SetResult), _stop.Token);
        Channel = Open(socket => socket.Connect(new UnixDomainSocketEndPoint(Address)));
    }

    public string Address { get; }

    public GrpcChannel Channel { get; }

    public string Root => In(_work, "root");

    /// <summary>A directory of its own, below which root and socket are.</summary>
    public string Work => _work.FullName;

    /// <summary>What it wrote to standard error.</summary>
    public IEnumerable<string> Told => _told;

    /// <param name="configuration">Its <c>config.toml</c>, in which WORK stands for <see cref="Work"/>.</param>
    /// <param name="registry">How it speaks to registries.</param>
    public static async Task<RunningDaemon> StartAsync(string configuration = "", RegistryOptions? registry = null)
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var daemon = new RunningDaemon(Directory.CreateTempSubdirectory("imagestored-"), configuration, registry ?? new RegistryOptions(), ready);
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
            Settings = _settings with { Collection = new SchedulerOptions { StartupDelay = s_never, Interval = s_never, MutationThreshold = 0 } },
        },
        State = In(_work, "state"),
        Address = address,
        Tell = line =>
        {
            _told.Enqueue(line);
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

    /// <summary>A channel whose connection is somebody else's; the caller disposes it.</summary>
    /// <param name="user">The user, and its group.</param>
    /// <param name="groups">The groups beside.</param>
    public GrpcChannel As(uint user, params uint[] groups) => Open(
        socket => Somebody.Do(user, groups, () => socket.Connect(new UnixDomainSocketEndPoint(Address))));

    private static string In(DirectoryInfo work, string name) => Path.Combine(work.FullName, name);

    private static GrpcChannel Open(Action<Socket> connect) => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        DisposeHttpClient = true,
        MaxReceiveMessageSize = null,
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = (_, _) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    connect(socket);
                    return ValueTask.FromResult<Stream>(new NetworkStream(socket, ownsSocket: true));
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
