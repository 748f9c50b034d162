using System.Runtime.InteropServices;
using ImageStore.Daemon.Hosting;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon;

/// <summary>The daemon's program.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        if (args is ["--help" or "-h"])
        {
            Console.Out.WriteLine(DaemonArguments.Usage);
            return ExitCode.Ok;
        }

        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            await DaemonHost.RunAsync(DaemonArguments.Parse(args).ToOptions(Console.Error.WriteLine), stop.Token).ConfigureAwait(false);
            return ExitCode.Ok;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCode.Ok;
        }
        catch (ImageStoreException failure)
        {
            Console.Error.WriteLine($"imagestored: {failure.Message}");
            if (failure.Remedy is { } remedy)
            {
                Console.Error.WriteLine($"  {remedy}");
            }

            return ExitCode.Of(failure.Kind);
        }

        void Stop(PosixSignalContext context)
        {
            // A second signal ends at once: the store is made to be killed at any moment.
            context.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }
}
