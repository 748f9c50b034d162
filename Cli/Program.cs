using System.Runtime.InteropServices;
using ImageStore.Cli.Commands;

using var stop = new CancellationTokenSource();

// The first signal stops at a safe point; a second one finds the default behaviour and ends the process.
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var root = CommandTree.Build();
return await root.Parse(args).InvokeAsync(new() { EnableDefaultExceptionHandler = false }, stop.Token).ConfigureAwait(false);

void Stop(PosixSignalContext context)
{
    context.Cancel = !stop.IsCancellationRequested;
    stop.Cancel();
}
