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

    /// <summary>Has what is left of the container killed and removed.</summary>
    /// <param name="bundle">Its bundle, which is removed.</param>
    /// <param name="program">The shim's program; null where nobody knows.</param>
    /// <param name="told">How it ended, where that was told before.</param>
    /// <returns>How it ended.</returns>
    public async Task<DeleteResponse> BuryAsync(TaskBundle bundle, string? program, DeleteResponse? told)
    {
        var found = await CleanUpAsync(bundle, program).ConfigureAwait(false);
        var exit = told ?? found ?? new DeleteResponse { ExitStatus = UnknownStatus };
        exit.ExitedAt ??= Timestamp.FromDateTimeOffset(time.GetUtcNow());
        if (told is null)
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

    private static void RemoveSocket(TaskBundle bundle)
    {
        try
        {
            if (bundle.Address() is { } address)
            {
                DeadSocket.Remove(address);
            }
        }
        catch (ImageStoreException)
        {
            // What was half written says nothing of a socket.
        }
    }

    private async Task<DeleteResponse?> CleanUpAsync(TaskBundle bundle, string? program)
    {
        try
        {
            var exit = program is null ? null : await shims.DeleteAsync(program, bundle.Folder, bundle.Namespace, bundle.Id).ConfigureAwait(false);
            RemoveSocket(bundle);
            bundle.Remove();
            return exit;
        }
        catch (ImageStoreException failure)
        {
            // The bundle stays, so that the next start tries again.
            tell($"cleaning up after the shim of {bundle.Namespace}/{bundle.Id} failed: {failure.Message}");
            return null;
        }
    }
}
