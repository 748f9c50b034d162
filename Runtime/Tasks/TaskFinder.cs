using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Shims;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tasks;

/// <summary>Finds shims again that went on while nobody was here, and cleans up after those that did not.</summary>
internal sealed class TaskFinder(LostTask lost, ShimLogs logs, Action<string> tell, TimeProvider time)
{
    private static readonly TimeSpan s_retryPause = TimeSpan.FromMilliseconds(100);

    /// <summary>Finds the task of a bundle; null where there is none any more, and what is left of it was removed.</summary>
    /// <param name="bundle">The bundle.</param>
    /// <param name="isKnown">Is there its container? A task without one is killed and removed.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<RunningTask?> FindAsync(TaskBundle bundle, bool isKnown, CancellationToken cancellationToken)
    {
        var program = bundle.ProgramKept();
        if (program is not null && await TryConnectAsync(bundle, cancellationToken).ConfigureAwait(false) is { } shim)
        {
            var (isThere, pid) = await IsThereAsync(bundle, shim, cancellationToken).ConfigureAwait(false);
            var task = new RunningTask(bundle, program, shim, pid);
            if (isThere && isKnown)
            {
                return task;
            }

            if (isThere)
            {
                tell($"the task {bundle.Namespace}/{bundle.Id} has no container any more: it is killed and removed");
                await TryKillAsync(task).ConfigureAwait(false);
            }

            await shim.ShutdownAsync(bundle.Id).ConfigureAwait(false);
            await shim.DisposeAsync().ConfigureAwait(false);
        }

        tell($"what the shim of {bundle.Namespace}/{bundle.Id} has left is removed");
        if (program is null)
        {
            // It never came to be a task.
            await lost.CleanUpAsync(bundle, program).ConfigureAwait(false);
        }
        else
        {
            await lost.BuryAsync(bundle, program, static () => null).ConfigureAwait(false);
        }

        logs.Remove(bundle.Log);
        return null;
    }

    private async Task<ShimConnection?> TryConnectAsync(TaskBundle bundle, CancellationToken cancellationToken)
    {
        if (AddressOf(bundle) is not { } address)
        {
            return null;
        }

        ReadLog(bundle);
        try
        {
            return await ShimConnection.OpenAsync(address, bundle.Namespace, time, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageStoreException gone) when (DeadSocket.IsDead(address))
        {
            // Only that nobody listens says that it is gone; what else keeps us from it leaves its containers alone.
            tell($"the shim of {bundle.Namespace}/{bundle.Id} is gone: {gone.Message}");
            return null;
        }
    }

    private ShimAddress? AddressOf(TaskBundle bundle)
    {
        try
        {
            return bundle.Address();
        }
        catch (ImageStoreException malformed)
        {
            // It is written before the shim is asked for anything.
            tell($"the shim of {bundle.Namespace}/{bundle.Id} is not known: {malformed.Message}");
            return null;
        }
    }

    private void ReadLog(TaskBundle bundle)
    {
        try
        {
            logs.Add(bundle.Log, $"{bundle.Namespace}/{bundle.Id}");
        }
        catch (ImageStoreException failure)
        {
            tell($"the log of the shim of {bundle.Namespace}/{bundle.Id} is not read: {failure.Message}");
        }
    }

    /// <summary>Has the shim such a container? One that does not say is believed to: it may be busy, and its container well.</summary>
    private async Task<(bool IsThere, uint Pid)> IsThereAsync(TaskBundle bundle, ShimConnection shim, CancellationToken cancellationToken)
    {
        var isMissing = false;
        for (var begun = time.GetTimestamp(); time.GetElapsedTime(begun) < ShimLimits.Load;)
        {
            try
            {
                var request = new StateRequest { Id = bundle.Id };
                var state = await shim.CallAsync("State", request, StateResponse.Parser, ShimLimits.State, cancellationToken).ConfigureAwait(false);
                return (true, state.Pid);
            }
            catch (RpcException refused) when (refused.Code == RpcCode.NotFound)
            {
                // A creation that a killed daemon had asked for goes on in the shim, which has no such container until it is done.
                isMissing = true;
                await Task.Delay(s_retryPause, time, cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException refused)
            {
                tell($"the shim of {bundle.Namespace}/{bundle.Id} does not say how its task is: {refused.Message}");
                if (refused.Code != RpcCode.DeadlineExceeded)
                {
                    break;
                }
            }
        }

        return (!isMissing && !shim.Closed.IsCompleted, 0);
    }

    private async Task TryKillAsync(RunningTask task)
    {
        using var limit = new CancellationTokenSource(ShimLimits.Load, time);
        try
        {
            await task.KillAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception refused) when (refused is RpcException or OperationCanceledException)
        {
            tell($"the task {task.Namespace}/{task.Id} cannot be killed by its shim: {refused.Message}");
        }
    }
}
