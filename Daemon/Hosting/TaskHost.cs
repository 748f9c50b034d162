using System.Net.Sockets;
using ImageStore.Daemon.Events;
using ImageStore.Engine.Serving;
using ImageStore.Runtime.Shims;
using ImageStore.Runtime.Tasks;

namespace ImageStore.Daemon.Hosting;

/// <summary>What shims have of the daemon: somebody who knows them again, and a socket on which they tell what happens.</summary>
internal sealed class TaskHost : IAsyncDisposable
{
    // containerd's name, by which shims find it.
    private const string EventsSuffix = ".ttrpc";

    private readonly CancellationTokenSource _end = new();
    private readonly string _address;
    private readonly Socket _socket;
    private readonly Task _serving;

    private TaskHost(TaskManager tasks, EventHub events, string address, Socket socket, Func<CancellationToken, Task> serve)
    {
        (Tasks, Events, _address, _socket) = (tasks, events, address, socket);
        _serving = serve(_end.Token);
    }

    /// <summary>The tasks.</summary>
    public TaskManager Tasks { get; }

    /// <summary>What happens, theirs and everybody's.</summary>
    public EventHub Events { get; }

    /// <summary>Takes what shims tell, and finds those again that went on without a daemon.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The socket cannot be made.</exception>
    public static async Task<TaskHost> StartAsync(DaemonOptions options, StateFolder state, ServedStore store, DaemonLife life, CancellationToken stop)
    {
        var address = options.Address + EventsSuffix;
        var socket = ListenSocket.Bind(address, group: null);
        var hub = new EventHub(store.Time);
        var tasks = new TaskManager(state.Bundles, new ShimCaller(options.Address, address), hub.Publish, life.Tell, store.Time);
        var host = new TaskHost(tasks, hub, address, socket, end => new ShimEvents(hub, tasks, store.Time, life).ServeAsync(socket, end));
        try
        {
            await tasks.RestoreAsync((@namespace, id) => store.Tenant(@namespace).Containers.Find(id) is not null, stop).ConfigureAwait(false);
            return host;
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        await _serving.ConfigureAwait(false);
        _socket.Dispose();
        File.Delete(_address);
        await Tasks.DisposeAsync().ConfigureAwait(false);
        _end.Dispose();
    }
}
