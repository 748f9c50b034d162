using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Threading.Channels;
using ImageStore.Engine.Configuration;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Auditing;

/// <summary>The file of who did what, with a thread of its own to write it.</summary>
/// <remarks>A call's line is in the file before its caller is answered, unless the disk takes longer than <see cref="Patience"/>: then the
/// call goes on and the line follows. A line that the file does not take, or that there is no more room to keep meanwhile, goes to standard
/// error; none is lost without a word, and no call fails because of one: what it did is done. The owner disposes it after the last call.</remarks>
[SuppressMessage("Design", "CA1031", Justification = "Whatever the file does not take a line for, standard error has it.")]
internal sealed class AuditLog : IAsyncDisposable
{
    private readonly RotatedFile _file;
    private readonly Action<string> _tell;
    private readonly TimeProvider _time;
    private readonly Channel<Waiting> _queue = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(DaemonLimits.AuditQueue) { SingleReader = true });
    private readonly Task _writer;
    private bool _isFailing;

    private AuditLog(RotatedFile file, Action<string> tell, TimeProvider time)
    {
        (_file, _tell, _time) = (file, tell, time);

        // It blocks on the disk, so it does not belong on the pool.
        _writer = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>How long a call waits for its line to be written.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(1);

    /// <summary>Opens the file that the settings name.</summary>
    /// <param name="path">The file.</param>
    /// <param name="settings">Its size, and how many old ones there may be.</param>
    /// <param name="tell">Writes to standard error.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ImageStoreException">It cannot be opened.</exception>
    public static AuditLog Open(string path, AuditSettings settings, Action<string> tell, TimeProvider time) =>
        new(RotatedFile.Open(path, settings.MaxBytes, settings.Kept), tell, time);

    /// <summary>Has a line written; it never fails.</summary>
    public async ValueTask WriteAsync(byte[] line)
    {
        var waiting = new Waiting(line, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!_queue.Writer.TryWrite(waiting))
        {
            Tell(line);
            return;
        }

        try
        {
            await waiting.Written.Task.WaitAsync(Patience, _time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It is still to come, before those that come after it.
        }
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        try
        {
            await _writer.WaitAsync(DaemonLimits.StopGrace, _time, CancellationToken.None).ConfigureAwait(false);
            _file.Dispose();
        }
        catch (TimeoutException)
        {
            _tell("the disk of the audit log does not answer; what it has not taken by now may be missing");
        }
    }

    private void Run()
    {
        while (_queue.Reader.WaitToReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult())
        {
            while (_queue.Reader.TryRead(out var waiting))
            {
                Append(waiting.Line);
                waiting.Written.SetResult();
            }
        }
    }

    private void Append(byte[] line)
    {
        try
        {
            _file.Append(line);
            if (_isFailing)
            {
                _isFailing = false;
                _tell("the audit log is written again");
            }
        }
        catch (Exception failure)
        {
            if (!_isFailing)
            {
                _isFailing = true;
                _tell($"the audit log cannot be written, and its lines come here until it can: {Printable.Of(failure.Message)}");
            }

            Tell(line);
        }
    }

    private void Tell(byte[] line) => _tell($"audit: {Encoding.UTF8.GetString(line).TrimEnd()}");

    private readonly record struct Waiting(byte[] Line, TaskCompletionSource Written);
}
