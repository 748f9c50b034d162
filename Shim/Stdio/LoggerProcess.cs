using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Loop;
using ImageStore.Shim.Processes;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Stdio;

/// <summary>A program that takes output: it has it as 3 and 4, and closes 5 when it is ready.</summary>
/// <remarks>Its environment has <c>CONTAINER_ID</c> and <c>CONTAINER_NAMESPACE</c>, and nothing else.</remarks>
internal sealed class LoggerProcess : IDisposable
{
    // A program that starts slowly has time; one that never says that it is ready is no logger.
    private static readonly TimeSpan s_readiness = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_afterEnd = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_afterTerminate = TimeSpan.FromSeconds(12);

    private readonly TimeProvider _time;
    private readonly int _pid;
    private readonly Task<int> _end;
    private Task? _ending;

    private LoggerProcess(TimeProvider time, int pid, Task<int> end, SafeFileHandle stdout, SafeFileHandle stderr) =>
        (_time, _pid, _end, Stdout, Stderr) = (time, pid, end, stdout, stderr);

    /// <summary>Where standard output is written to.</summary>
    public SafeFileHandle Stdout { get; }

    /// <summary>Where standard error is written to.</summary>
    public SafeFileHandle Stderr { get; }

    /// <summary>Ends when it has, having written what it was given.</summary>
    public Task Ended => _end;

    /// <summary>Is it to end by now?</summary>
    public bool IsEnding => _ending is not null;

    /// <summary>Ends when it has, of itself or not: once it is disposed of, that is within a limit.</summary>
    public Task Gone => _ending ?? _end;

    /// <summary>Begins it, and waits until it is ready.</summary>
    /// <exception cref="RpcException">It did not get ready.</exception>
    public static async Task<LoggerProcess> BeginAsync(
        EventLoop loop, CommandRunner commands, LogUri uri, string id, string tenant, CancellationToken cancellation)
    {
        var (outRead, outWrite) = Descriptors.Pipe();
        var (errorRead, errorWrite) = Descriptors.Pipe();
        var (readyRead, readyWrite) = Descriptors.Pipe();
        using var ready = loop.Add(readyRead);
        LoggerProcess logger;
        using (outRead)
        using (errorRead)
        using (readyWrite)
        using (var nothing = Descriptors.Open("/dev/null", Descriptors.ReadWrite))
        {
            var (pid, end) = commands.Begin(
                uri.Path, uri.Arguments, [$"CONTAINER_ID={id}", $"CONTAINER_NAMESPACE={tenant}"],
                [nothing, nothing, nothing, outRead, errorRead, readyWrite]);
            logger = new LoggerProcess(loop.Time, pid, end, outWrite, errorWrite);
        }

        try
        {
            // Older ones just close it; of those of the second kind a byte is expected, since who dies closes it too.
            if (!await IsReadyAsync(loop.Time, ready, uri, cancellation).ConfigureAwait(false) && uri.Scheme == LogUri.BinaryV2)
            {
                throw new RpcException(RpcCode.Unknown, $"The logger {Printable.Of(uri.Path)} ended before it was ready.");
            }

            return logger;
        }
        catch
        {
            logger.Dispose();
            throw;
        }
    }

    /// <summary>Lets go of its input, which ends with whoever else has it.</summary>
    public void CloseInput()
    {
        Stdout.Dispose();
        Stderr.Dispose();
    }

    /// <summary>Lets its input end, so that it writes what it has and ends; if it does not, it is asked to, then made to.</summary>
    public void Dispose()
    {
        CloseInput();
        _ending ??= EndAsync();
    }

    private static async Task<bool> IsReadyAsync(TimeProvider time, Watch ready, LogUri uri, CancellationToken cancellation)
    {
        using var late = new CancellationTokenSource(s_readiness, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, late.Token);
        try
        {
            return await HasByteAsync(ready, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            throw new RpcException(RpcCode.DeadlineExceeded, $"The logger {Printable.Of(uri.Path)} was not ready within {s_readiness}.");
        }
    }

    private static async Task<bool> HasByteAsync(Watch ready, CancellationToken cancellation)
    {
        var one = new byte[1];
        while (true)
        {
            var read = Descriptors.Read(ready.File, one);
            if (read >= 0 || Errno.Last != Errno.TryAgain)
            {
                return read > 0;
            }

            await ready.ReadableAsync(cancellation).ConfigureAwait(false);
        }
    }

    private async Task EndAsync()
    {
        foreach (var (wait, signal) in ((TimeSpan, int)[])[(s_afterEnd, Signals.Terminate), (s_afterTerminate, Signals.Kill)])
        {
            await Task.WhenAny(_end, Task.Delay(wait, _time, CancellationToken.None)).ConfigureAwait(false);
            if (_end.IsCompleted)
            {
                return;
            }

            _ = Signals.Send(_pid, signal);
        }

        await _end.ConfigureAwait(false);
    }
}
