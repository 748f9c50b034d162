using ImageStore.Shim.Interop;
using ImageStore.Shim.Loop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Stdio;

/// <summary>A process on a terminal, which the OCI runtime makes and sends here.</summary>
internal sealed class TerminalStdio : ProcessStdio
{
    private readonly EventLoop _loop;
    private readonly Copier _copier;
    private readonly ConsoleSocket? _socket;
    private readonly SafeFileHandle? _target;
    private readonly LoggerProcess? _logger;
    private readonly Input? _input;
    private readonly CancellationTokenSource _ended = new();
    private Watch? _terminal;
    private Watch? _output;
    private Task _drained = Task.CompletedTask;

    /// <summary>Opens everything but the terminal.</summary>
    /// <param name="loop">Where it is copied.</param>
    /// <param name="copier">Copies.</param>
    /// <param name="request">What is asked for.</param>
    /// <param name="logger">Takes the output, where a program does.</param>
    public TerminalStdio(EventLoop loop, Copier copier, StdioRequest request, LoggerProcess? logger)
    {
        (_loop, _copier, _logger) = (loop, copier, logger);
        try
        {
            _socket = new ConsoleSocket(loop);
            _input = request.Stdin.Length > 0 ? Input.Open(loop, request.Stdin) : null;
            _target = logger?.Stdout
                ?? (request.Stdout.Length > 0 ? OutputTarget.Open(LogUri.Parse(request.Stdout)) : Descriptors.Open("/dev/null", Descriptors.WriteOnly));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override string ConsoleSocket => _socket!.Path;

    /// <inheritdoc/>
    public override Task Drained => _drained;

    /// <inheritdoc/>
    public override async Task BeginAsync(CancellationToken cancellation)
    {
        using (_socket)
        {
            _terminal = _loop.Add(await _socket!.ReceiveAsync(cancellation).ConfigureAwait(false));
        }

        _output = _loop.Add(_target!);
        _logger?.Stderr.Dispose();
        _drained = DrainAsync(_terminal, _output);
        if (_input is not null)
        {
            _ = CopyInputAsync(_input, _terminal);
        }
    }

    /// <inheritdoc/>
    public override void CloseInput() => _input?.Close();

    /// <inheritdoc/>
    public override void Resize(ushort columns, ushort rows)
    {
        if (_terminal is { File.IsClosed: false })
        {
            Terminals.Resize(_terminal.File, columns, rows);
        }
    }

    /// <inheritdoc/>
    public override void ProcessEnded() => _ended.Cancel();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _socket?.Dispose();
        _input?.Dispose();
        _terminal?.Dispose();
        _output?.Dispose();
        _target?.Dispose();
        _logger?.Dispose();
        base.Dispose(disposing);
    }

    private async Task DrainAsync(Watch terminal, Watch output)
    {
        await _copier.CopyOutputAsync(terminal, output, _ended.Token).ConfigureAwait(false);
        terminal.Dispose();
        output.Dispose();
        if (_logger is not null)
        {
            await _logger.Ended.ConfigureAwait(false);
        }
    }

    // Whoever sat at the terminal has gone: what runs on it is hung up, as it would be behind a lost line.
    private async Task CopyInputAsync(Input input, Watch terminal)
    {
        await _copier.CopyInputAsync(input.Source, terminal).ConfigureAwait(false);
        input.Dispose();
        _ended.Cancel();
    }
}
