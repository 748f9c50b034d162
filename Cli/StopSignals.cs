using System.Runtime.InteropServices;
using ImageStore.Store.Errors;

namespace ImageStore.Cli;

/// <summary>SIGINT and SIGTERM: the first asks for an end at a safe point and bounds the wait for it, a second ends at once.</summary>
/// <remarks>An end without a safe point loses nothing either: the store is made to be killed at any moment.</remarks>
internal sealed class StopSignals : IDisposable
{
    private const int Terminated = 143;
    private static readonly TimeSpan s_grace = TimeSpan.FromMilliseconds(300);

    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;
    private Timer? _limit;
    private int _code;
    private int _told;

    public StopSignals()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    }

    public CancellationToken Token => _stop.Token;

    /// <summary>Says that the command was interrupted, once; returns the exit code.</summary>
    public int Tell()
    {
        if (Interlocked.Exchange(ref _told, 1) == 0)
        {
            Console.Error.WriteLine("imagestore: interrupted: a signal asked for it");
            Console.Error.WriteLine("  What was verified is kept: repeat the command to go on.");
        }

        return _code;
    }

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _limit?.Dispose();
        _stop.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        var code = context.Signal == PosixSignal.SIGTERM ? Terminated : ExitCode.Interrupted;
        if (Interlocked.CompareExchange(ref _code, code, 0) != 0)
        {
            Environment.Exit(Tell());
        }

        _limit = new Timer(_ => Environment.Exit(Tell()), null, s_grace, Timeout.InfiniteTimeSpan);
        _stop.Cancel();
    }
}
