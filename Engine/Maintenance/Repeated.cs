using System.Diagnostics.CodeAnalysis;

namespace ImageStore.Engine.Maintenance;

/// <summary>Work that is done again and again, whatever becomes of it.</summary>
internal static class Repeated
{
    /// <summary>Does the work at once and after each pause, until it is cancelled.</summary>
    /// <param name="pause">How long between the end of one and the next.</param>
    /// <param name="work">The work.</param>
    /// <param name="fail">Is given what it failed with; it is tried again.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends it.</param>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever failed is told; what had ended in part would look like what works.")]
    public static async Task EveryAsync(
        TimeSpan pause, Func<CancellationToken, Task> work, Action<Exception> fail, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await work(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                cancellationToken.ThrowIfCancellationRequested();
                fail(failure);
            }

            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }
    }
}
