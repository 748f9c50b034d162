using ImageStore.Shim.Loop;
using ImageStore.Shim.Processes;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Stdio;

/// <summary>Opens what processes read from and write to.</summary>
/// <param name="loop">Where it is copied.</param>
/// <param name="commands">Begins loggers.</param>
/// <param name="tenant">containerd's namespace, which loggers are told.</param>
internal sealed class StdioFactory(EventLoop loop, CommandRunner commands, string tenant)
{
    private readonly Copier _copier = new(loop);
    private readonly List<LoggerProcess> _loggers = [];

    /// <summary>Ends when all loggers have that were begun here and whose processes have been deleted.</summary>
    public Task LoggersEndedAsync() => Task.WhenAll(_loggers.Where(logger => logger.IsEnding).Select(logger => logger.Gone));

    /// <summary>Opens it all; the caller disposes of it.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="id">The container, or the exec.</param>
    /// <param name="uid">Who owns pipes.</param>
    /// <param name="gid">Its group.</param>
    /// <param name="cancellation">Stops waiting for a logger.</param>
    public async Task<ProcessStdio> OpenAsync(StdioRequest request, string id, uint uid, uint gid, CancellationToken cancellation)
    {
        if (request is { IsNone: true, Terminal: false })
        {
            return new NoStdio();
        }

        var uri = LogUri.Parse(request.Stdout);
        if (LogUri.Parse(request.Stderr).IsProgram && !uri.IsProgram)
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument, "A program cannot take standard error alone.", "Name it for standard output as well, or a fifo or a file.");
        }

        var logger = uri.IsProgram ? await BeginAsync(uri, id, cancellation).ConfigureAwait(false) : null;
        if (request.Terminal)
        {
            return new TerminalStdio(loop, _copier, request, logger);
        }

        return logger is null ? new PipedStdio(loop, _copier, request, uid, gid) : new LoggedStdio(logger);
    }

    private async Task<LoggerProcess> BeginAsync(LogUri uri, string id, CancellationToken cancellation)
    {
        var logger = await LoggerProcess.BeginAsync(loop, commands, uri, id, tenant, cancellation).ConfigureAwait(false);
        _loggers.RemoveAll(one => one.Ended.IsCompleted);
        _loggers.Add(logger);
        return logger;
    }
}
