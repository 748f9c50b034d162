using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Happened;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Shims;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tasks;

/// <summary>Cleans up after a shim that is gone, and tells what the shim would have told.</summary>
internal sealed class LostTask(ShimInvocation shims, TaskEvents events, TimeProvider time, Action<string> tell)
{
    /// <summary>How a process ended of which nobody knows.</summary>
    public const uint UnknownStatus = 255;

    /// <summary>Has what is left of a task killed and removed, and tells how it ended.</summary>
    /// <param name="bundle">Its bundle, which is removed.</param>
    /// <param name="program">The shim's program; null where nobody knows.</param>
    /// <param name="told">Gives how it ended, where that was told before; asked last.</param>
    /// <returns>How it ended.</returns>
    public async Task<DeleteResponse> BuryAsync(TaskBundle bundle, string? program, Func<DeleteResponse?> told)
    {
        var found = await CleanUpAsync(bundle, program).ConfigureAwait(false);
        var known = told();
        var exit = known ?? found ?? new DeleteResponse { ExitStatus = UnknownStatus };
        exit.ExitedAt ??= Timestamp.FromDateTimeOffset(time.GetUtcNow());
        if (known is null)
        {
            events.Publish(bundle.Namespace, new TaskExit
            {
                ContainerId = bundle.Id, Id = bundle.Id, Pid = exit.Pid, ExitStatus = exit.ExitStatus, ExitedAt = exit.ExitedAt,
            });
        }

        events.Publish(bundle.Namespace, new TaskDelete
        {
            ContainerId = bundle.Id, Pid = exit.Pid, ExitStatus = exit.ExitStatus, ExitedAt = exit.ExitedAt,
        });
        return exit;
    }

    /// <summary>Has what is left killed and removed, of which nobody was told that it is there.</summary>
    /// <returns>How it ended; null where nobody knows. What could not be removed is told of, and stays for the next attempt.</returns>
    public async Task<DeleteResponse?> CleanUpAsync(TaskBundle bundle, string? program)
    {
        DeleteResponse? exit = null;
        if (program is not null && !await TryAsync(
            bundle, async () => exit = await shims.DeleteAsync(program, bundle.Folder, bundle.Namespace, bundle.Id).ConfigureAwait(false)).ConfigureAwait(false))
        {
            return null;
        }

        await TryAsync(bundle, () => RemoveSocket(bundle)).ConfigureAwait(false);
        await TryAsync(bundle, () => Remove(bundle)).ConfigureAwait(false);
        return exit;
    }

    private static Task Remove(TaskBundle bundle)
    {
        bundle.Remove();
        return Task.CompletedTask;
    }

    private static Task RemoveSocket(TaskBundle bundle)
    {
        if (bundle.Address() is { } address)
        {
            DeadSocket.Remove(address);
        }

        return Task.CompletedTask;
    }

    private async Task<bool> TryAsync(TaskBundle bundle, Func<Task> step)
    {
        try
        {
            await step().ConfigureAwait(false);
            return true;
        }
        catch (Exception failure) when (failure is ImageStoreException or IOException or UnauthorizedAccessException)
        {
            tell($"cleaning up after the shim of {bundle.Namespace}/{bundle.Id}: {failure.Message}");
            return false;
        }
    }
}
