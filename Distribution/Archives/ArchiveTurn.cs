using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Archives;

/// <summary>Lets one writer at a time at an archive, which has one end, and after a failure nobody any more.</summary>
internal sealed class ArchiveTurn(string archive) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private bool _broken;

    public async Task RunAsync(Func<Task> write, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_broken)
            {
                throw new InvalidOperationException($"{archive} is broken by an earlier failure.");
            }

            _broken = true;
            await write().ConfigureAwait(false);
            _broken = false;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Writing {Printable.Of(archive)}");
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();
}
