using ImageStore.Shim.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Stdio;

/// <summary>A process whose output a logger takes without anybody in between.</summary>
internal sealed class LoggedStdio(LoggerProcess logger) : ProcessStdio
{
    private readonly SafeFileHandle _nothing = Descriptors.Open("/dev/null", Descriptors.ReadWrite);

    /// <inheritdoc/>
    public override IReadOnlyList<SafeFileHandle> Child => [_nothing, logger.Stdout, logger.Stderr];

    /// <inheritdoc/>
    public override Task Drained => logger.Ended;

    /// <inheritdoc/>
    public override Task BeginAsync(CancellationToken cancellation)
    {
        // The process has it now, so that the logger's input ends with the process.
        _nothing.Dispose();
        logger.CloseInput();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _nothing.Dispose();
        logger.Dispose();
        base.Dispose(disposing);
    }
}
