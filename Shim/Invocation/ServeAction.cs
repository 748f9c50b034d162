using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Events;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Logging;
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
    private const int MostConnections = 64;
    private static readonly TimeSpan s_lastEvents = TimeSpan.FromSeconds(5);

    public static void Run(ShimArguments arguments)
    {
        OwnSignals.Take();
        OpenLog();
        ProcessCalls.BecomeSubreaper();
        using var loop = new EventLoop();
        var children = new Children(loop.Time);
        using var signals = new SignalReader(loop, children);
        using var listener = loop.Add(new SafeFileHandle(ListenerNumber, ownsHandle: true));
        loop.Run(ServeAsync(loop, children, signals, listener, arguments));
    }

    private static async Task ServeAsync(EventLoop loop, Children children, SignalReader signals, Watch listener, ShimArguments arguments)
    {
        var path = UnixSockets.PathOf(listener.File);
        var commands = new CommandRunner(loop, children, ShimEnvironment.OfCommands());
        var events = new EventPublisher(loop, Environment.GetEnvironmentVariable("TTRPC_ADDRESS") ?? string.Empty, arguments.Namespace);
        var parts = new ShimParts(arguments.Namespace, loop, children, commands, new StdioFactory(loop, commands, arguments.Namespace), events);
        var service = new TaskService(parts);
        using var rest = new Rest(loop);
        var accepting = AcceptAsync(loop, listener, new TtrpcServer(service.HandleAsync, loop.Time), rest);
        await Task.WhenAny(service.Stopped, signals.Stop, accepting).ConfigureAwait(false);

        // Whoever asks from now on finds nobody, and begins another.
        File.Delete(path);
        await loop.TurnAsync().ConfigureAwait(false);
        await Task.WhenAny(events.Sent, Task.Delay(s_lastEvents, loop.Time, CancellationToken.None)).ConfigureAwait(false);
    }

    private static async Task AcceptAsync(EventLoop loop, Watch listener, TtrpcServer server, Rest rest)
    {
        var open = 0;
        while (true)
        {
            while (UnixSockets.TryAccept(listener.File) is { } accepted)
            {
                if (open < MostConnections && UnixSockets.PeerOf(accepted) == ProcessCalls.UserId())
                {
                    open++;
                    _ = ServeAsync(loop.Add(accepted));
                }
                else
                {
                    accepted.Dispose();
                }
            }

            await listener.ReadableAsync(CancellationToken.None).ConfigureAwait(false);
        }

        async Task ServeAsync(Watch connection)
        {
            using var stream = new LoopStream(connection, rest.Disturb);
            try
            {
                await server.ServeAsync(stream, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception gone) when (gone is IOException or OperationCanceledException)
            {
                ShimLog.Debug($"A connection broke: {gone.Message}");
            }
            finally
            {
                open--;
            }
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
