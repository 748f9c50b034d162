namespace ImageStore.Daemon.Hosting;

/// <summary>Whether the daemon is to go on, and whom it tells.</summary>
internal sealed class DaemonLife(Action<string> tell) : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Cancelled when it is to stop: calls that would go on for ever end by it.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Tells the administrator. A standard error that is gone is no reason for a call to fail.</summary>
    public void Tell(string line)
    {
        try
        {
            tell(line);
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
        }
    }

    public Task StopAsync() => _stopping.CancelAsync();

    public void Dispose() => _stopping.Dispose();
}
