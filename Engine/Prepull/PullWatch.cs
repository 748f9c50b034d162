using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Pull;
using ImageStore.Gc.Pressure;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Prepull;

/// <summary>Looks while an image is pulled whether the job is to end and whether the disk gets too full, and has the record know how far it is.</summary>
internal sealed class PullWatch : IAsyncDisposable
{
    // A record is two syncs: often enough for who looks at it, and seldom enough for the disk that is being pulled to.
    private const int LooksPerSave = 10;
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _stop;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _looking;
    private volatile ImageStoreException? _refusal;
    private volatile bool _isCancelled;

    /// <param name="isCancelRequested">Is the job to end?</param>
    /// <param name="refusal">The error of a disk that is too full; null while it is not.</param>
    /// <param name="save">Writes how far the pull is.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the pull too.</param>
    public PullWatch(
        Func<bool> isCancelRequested, Func<ImageStoreException?> refusal, Action save, TimeProvider time, CancellationToken cancellationToken)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _looking = LookAsync(isCancelRequested, refusal, save, time);
    }

    /// <summary>Ends the pull.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>Was the pull ended because the job is to end?</summary>
    public bool IsCancelled => _isCancelled;

    /// <summary>Why the pull was ended for the disk's sake; null when it was not.</summary>
    public ImageStoreException? Refusal => _refusal;

    /// <summary>What a disk that is too full says of a pull; one that has brought nothing yet is judged by what it has to bring.</summary>
    public static ImageStoreException? Judge(DiskFloor? floor, TransferProgress progress, Func<DiskSpace> disk, string subject) =>
        floor is { } set && progress.Received > 0 ? set.Refusal(disk(), 0, subject) : null;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        await _looking.ConfigureAwait(false);
        _end.Dispose();
        _stop.Dispose();
    }

    private async Task LookAsync(Func<bool> isCancelRequested, Func<ImageStoreException?> refusal, Action save, TimeProvider time)
    {
        using var timer = new PeriodicTimer(s_look, time);
        try
        {
            for (var looks = 0; await timer.WaitForNextTickAsync(_end.Token).ConfigureAwait(false); looks++)
            {
                _isCancelled = isCancelRequested();
                _refusal = _isCancelled ? null : refusal();
                if (_isCancelled || _refusal is not null)
                {
                    await _stop.CancelAsync().ConfigureAwait(false);
                    return;
                }

                if (looks % LooksPerSave == 0)
                {
                    save();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The pull has ended.
        }
    }
}
