using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Processes;

namespace ImageStore.Shim.Tasks;

/// <summary>How long an operation may take that must not be left half done: to its caller's deadline, and without the caller a while longer.</summary>
/// <remarks>containerd may be killed at any time; the runtime that it has had begun goes on, as the container will.</remarks>
internal sealed class OperationTime : IDisposable
{
    private readonly CancellationTokenSource _end;
    private readonly CancellationTokenRegistration _onLate;
    private readonly CancellationTokenRegistration _onGone;

    /// <summary>Begins.</summary>
    /// <param name="call">What is asked.</param>
    /// <param name="time">By which it passes.</param>
    /// <param name="caller">Ends when the caller goes.</param>
    public OperationTime(RpcCall call, TimeProvider time, CancellationToken caller)
    {
        _end = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _onLate = call.Deadline.UnsafeRegister(static end => ((CancellationTokenSource)end!).Cancel(), _end);
        _onGone = caller.UnsafeRegister(static end => ((CancellationTokenSource)end!).CancelAfter(Unattended.Limit), _end);
    }

    /// <summary>Ends with the time.</summary>
    public CancellationToken End => _end.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        _onGone.Dispose();
        _onLate.Dispose();
        _end.Dispose();
    }
}
