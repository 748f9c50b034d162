using ImageStore.Shim.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Loop;

/// <summary>A descriptor in the loop. Whoever finds that a call on it would wait, waits here and tries again.</summary>
/// <remarks>It owns the descriptor. What waits when it is disposed of is cancelled.</remarks>
internal sealed class Watch : IDisposable
{
    private readonly EventLoop _loop;
    private readonly ulong _name;
    private readonly bool _isAlwaysReady;
    private TaskCompletionSource? _readable;
    private TaskCompletionSource? _writable;
    private bool _isDisposed;

    internal Watch(EventLoop loop, SafeFileHandle file, ulong name, bool isAlwaysReady) =>
        (_loop, File, _name, _isAlwaysReady) = (loop, file, name, isAlwaysReady);

    /// <summary>The descriptor, which does not block.</summary>
    public SafeFileHandle File { get; }

    /// <summary>Ends when there may be something to read, or to learn of the end.</summary>
    public Task ReadableAsync(CancellationToken cancellation) => WaitAsync(ref _readable, cancellation);

    /// <summary>Ends when there may be room to write, or nobody left to write to.</summary>
    public Task WritableAsync(CancellationToken cancellation) => WaitAsync(ref _writable, cancellation);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _loop.Forget(_name, File, _isAlwaysReady);
        File.Dispose();
        Interlocked.Exchange(ref _readable, null)?.TrySetCanceled();
        Interlocked.Exchange(ref _writable, null)?.TrySetCanceled();
    }

    internal void Tell(uint what)
    {
        if ((what & ~Epoll.Writable) != 0)
        {
            Interlocked.Exchange(ref _readable, null)?.TrySetResult();
        }

        if ((what & (Epoll.Writable | Epoll.HungUp | Epoll.Failed)) != 0)
        {
            Interlocked.Exchange(ref _writable, null)?.TrySetResult();
        }
    }

    private Task WaitAsync(ref TaskCompletionSource? waiting, CancellationToken cancellation)
    {
        _loop.Check();
        if (_isDisposed)
        {
            return Task.FromCanceled(new CancellationToken(canceled: true));
        }

        if (_isAlwaysReady)
        {
            return _loop.TurnAsync();
        }

        waiting ??= new TaskCompletionSource();

        // One who gives up leaves what others wait for, and will wait for, as it is.
        return waiting.Task.WaitAsync(cancellation);
    }
}
