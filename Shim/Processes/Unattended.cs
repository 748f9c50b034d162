using ImageStore.Shim.Logging;

namespace ImageStore.Shim.Processes;

/// <summary>What is done though nobody waits for it, and so has to end by itself: clean-ups above all.</summary>
internal sealed class Unattended(TimeProvider time)
{
    /// <summary>How long an OCI runtime may take that nobody waits for; then it is killed.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>A token that ends by itself; the caller disposes of its source.</summary>
    public CancellationTokenSource Begin() => new(Limit, time);

    /// <summary>Does it as far as it can be done; what fails is for the log.</summary>
    /// <param name="action">What is done, such as <c>delete the container</c>.</param>
    /// <param name="run">Does it.</param>
    public async Task TryAsync(string action, Func<CancellationToken, Task> run)
    {
        using var limit = Begin();
        try
        {
            await run(limit.Token).ConfigureAwait(false);
        }
        catch (Exception refused)
        {
            // Whatever it is: what comes next is needed all the same.
            ShimLog.Warning($"Cannot {action}: {refused.Message}");
        }
    }
}
