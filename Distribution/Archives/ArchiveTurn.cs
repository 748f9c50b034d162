using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Archives;

/// <summary>Lets one writer at a time at an archive, which has one end, and after a failure nobody any more.</summary>
internal sealed class ArchiveTurn(string archive) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private ImageStoreException? _broken;

    /// <param name="write">Writes.</param>
    /// <param name="goBack">Takes back what a failed writing left, where that can be done; it says whether it did.</param>
    /// <param name="cancellationToken">Ends the waiting for the turn.</param>
    public async Task RunAsync(Func<Task> write, Func<bool>? goBack, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_broken is not null)
            {
                throw new ImageStoreException(_broken.Kind, $"{Printable.Of(archive)} was given up: {_broken.Message}", _broken.Remedy);
            }

            await write().ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw _broken = IoErrors.From(failure, $"Writing {Printable.Of(archive)}");
        }
        catch (Exception failure)
        {
            if (goBack?.Invoke() is not true)
            {
                _broken = failure as ImageStoreException ?? new ImageStoreException(ErrorKind.Unavailable, "its writing was stopped.");
            }

            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();
}
