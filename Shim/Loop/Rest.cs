using ImageStore.Shim.Interop;

namespace ImageStore.Shim.Loop;

/// <summary>Gives memory back when nothing has been asked for a while: a shim rests for most of its life.</summary>
internal sealed class Rest(EventLoop loop) : IDisposable
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(1);

    private ITimer? _timer;

    /// <summary>Something is done.</summary>
    public void Disturb()
    {
        _timer ??= loop.Time.CreateTimer(static _ => Begin(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(s_quiet, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    private static void Begin()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Memory.Trim();
        try
        {
            Memory.ForgetProgram();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // Where no file can be opened just now, the pages stay.
        }
    }
}
