namespace ImageStore.Engine.Pull;

/// <summary>Waiting for several tasks, the first failure of which ends the others.</summary>
internal static class Fail
{
    /// <summary>Waits for all; a failure cancels <paramref name="stop"/>, and after the others have ended it is thrown.</summary>
    /// <remarks>Of several failures the one of the earliest task is thrown, so tasks stand before those that read from them.</remarks>
    public static async Task FastAsync(IReadOnlyList<Task> tasks, CancellationTokenSource stop)
    {
        var open = tasks.ToHashSet();
        while (open.Count > 0)
        {
            var done = await Task.WhenAny(open).ConfigureAwait(false);
            open.Remove(done);
            if (!done.IsCompletedSuccessfully)
            {
                await stop.CancelAsync().ConfigureAwait(false);
                await SettleAsync(open).ConfigureAwait(false);
                await (tasks.FirstOrDefault(task => task.IsFaulted) ?? done).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits for all, whatever becomes of them.</summary>
    public static Task SettleAsync(IReadOnlyCollection<Task> tasks) =>
        Task.WhenAll(tasks).ContinueWith(
            static finished => _ = finished.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
}
