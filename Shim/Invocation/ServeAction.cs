using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Events;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Loop;
using ImageStore.Shim.Processes;
using ImageStore.Shim.Stdio;
using ImageStore.Shim.Tasks;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Invocation;

/// <summary>The shim itself, which <c>start</c> begins: it serves until containerd has no more use for it.</summary>
internal static class ServeAction
{
    private const int ListenerNumber = 3;
    private const int ErrorNumber = 2;
    private const int UnusedRounds = 2;

    private static readonly TimeSpan s_unusedRound = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_lastEvents = TimeSpan.FromSeconds(5);

    public static void Run(ShimArguments arguments)
    {
        OwnSignals.Take();
        OpenLog();
        ProcessCalls.BecomeSubreaper();
        using var loop = new EventLoop();
        var children = new Children(loop.Time);
        using var signals = new SignalReader(loop, children);

        // It was inherited, which what the shim runs must not do.
        var inherited = new SafeFileHandle(ListenerNumber, ownsHandle: true);
        Descriptors.SetCloseOnExec(inherited);
        using var listener = loop.Add(inherited);
        loop.Run(ServeAsync(loop, children, signals, listener, arguments));
    }

    private static async Task ServeAsync(EventLoop loop, Children children, SignalReader signals, Watch listener, ShimArguments arguments)
    {
        var path = UnixSockets.PathOf(listener.File);
        var commands = new CommandRunner(loop, children, ShimEnvironment.OfCommands());
        var events = new EventPublisher(loop, ShimEnvironment.EventsSocket, arguments.Namespace);
        var stdio = new StdioFactory(loop, commands, arguments.Namespace);
        var parts = new ShimParts(arguments.Namespace, loop, children, new Unattended(loop.Time), commands, stdio, events);
        var service = new TaskService(parts);
        using var rest = new Rest(loop);
        var connections = new Connections(loop, listener, new TtrpcServer(service.HandleAsync, loop.Time), rest.Disturb);
        _ = connections.AcceptAsync();
        await Task.WhenAny(service.Stopped, signals.Stop, UnusedAsync(loop.Time, connections, service)).ConfigureAwait(false);

        // Whoever asks from now on finds nobody, and begins another; whoever has a connection still is told to.
        service.Stop();
        File.Delete(path);
        listener.Dispose();
        await loop.TurnAsync().ConfigureAwait(false);
        await Task.WhenAny(events.Sent, Task.Delay(s_lastEvents, loop.Time, CancellationToken.None)).ConfigureAwait(false);
        await stdio.LoggersEndedAsync().ConfigureAwait(false);
    }

    // Whoever began it may have been killed before it had it make a container.
    private static async Task UnusedAsync(TimeProvider time, Connections connections, TaskService service)
    {
        var quiet = 0;
        while (quiet < UnusedRounds)
        {
            await Task.Delay(s_unusedRound, time, CancellationToken.None).ConfigureAwait(false);
            quiet = connections.Open == 0 && service.IsIdle ? quiet + 1 : 0;
        }
    }

    // containerd reads this fifo as long as it lives; open for both, it is no end when containerd goes, and there for the next.
    private static void OpenLog()
    {
        try
        {
            using var log = Descriptors.Open(Path.Combine(Environment.CurrentDirectory, "log"), Descriptors.ReadWrite | Descriptors.NonBlocking);
            Descriptors.Replace(log, ErrorNumber);
        }
        catch (ImageStoreException)
        {
            // Without it there is nobody to tell.
        }
    }
}
