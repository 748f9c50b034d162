using System.Diagnostics.CodeAnalysis;

namespace ImageStore.Store.Metadata;

/// <summary>Something that the writer thread does, and whoever waits for it.</summary>
internal abstract class WriterWork(CancellationToken cancellationToken)
{
    public bool IsCancelled => cancellationToken.IsCancellationRequested;

    protected CancellationToken Token => cancellationToken;

    /// <summary>Runs the body; false when it threw, which its caller is then told.</summary>
    public abstract bool TryRun(MetadataTransaction transaction);

    public abstract void Complete();

    public abstract void Fail(Exception failure);

    public abstract void Cancel();
}

/// <inheritdoc/>
internal sealed class WriterWork<TResult>(Func<MetadataTransaction, TResult> body, CancellationToken cancellationToken)
    : WriterWork(cancellationToken)
{
    private readonly TaskCompletionSource<TResult> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TResult _result = default!;

    public Task<TResult> Done => _done.Task;

    [SuppressMessage("Design", "CA1031", Justification = "Whatever the body throws belongs to its caller, not to the thread.")]
    public override bool TryRun(MetadataTransaction transaction)
    {
        try
        {
            _result = body(transaction);
            return true;
        }
        catch (Exception failure)
        {
            _done.TrySetException(failure);
            return false;
        }
    }

    public override void Complete() => _done.TrySetResult(_result);

    public override void Fail(Exception failure) => _done.TrySetException(failure);

    public override void Cancel() => _done.TrySetCanceled(Token);
}
