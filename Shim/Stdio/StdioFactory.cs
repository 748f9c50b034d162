using ImageStore.Shim.Loop;
using ImageStore.Shim.Processes;

namespace ImageStore.Shim.Stdio;

/// <summary>Opens what processes read from and write to.</summary>
/// <param name="loop">Where it is copied.</param>
/// <param name="commands">Begins loggers.</param>
/// <param name="tenant">containerd's namespace, which loggers are told.</param>
internal sealed class StdioFactory(EventLoop loop, CommandRunner commands, string tenant)
{
    private readonly Copier _copier = new(loop);

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
        var logger = uri.IsProgram ? await LoggerProcess.BeginAsync(loop, commands, uri, id, tenant, cancellation).ConfigureAwait(false) : null;
        if (request.Terminal)
        {
            return new TerminalStdio(loop, _copier, request, logger);
        }

        return logger is null ? new PipedStdio(loop, _copier, request, uid, gid) : new LoggedStdio(logger);
    }
}
