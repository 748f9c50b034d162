using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Shims;
using ImageStore.Runtime.Ttrpc;

namespace ImageStore.Runtime.Tasks;

/// <summary>A task that a shim has: its processes are asked of the shim, each time anew.</summary>
/// <param name="bundle">Its bundle.</param>
/// <param name="program">The shim's program.</param>
/// <param name="shim">The shim.</param>
/// <param name="pid">Its first process; 0 where that is not known.</param>
internal sealed class RunningTask(TaskBundle bundle, string program, ShimConnection shim, uint pid)
{
    private const uint KillSignal = 9;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<WaitResponse>> _waits = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource<DeleteResponse> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The namespace.</summary>
    public string Namespace => bundle.Namespace;

    /// <summary>The container.</summary>
    public string Id => bundle.Id;

    /// <summary>Its bundle.</summary>
    public TaskBundle Bundle => bundle;

    /// <summary>The shim's program.</summary>
    public string Program => program;

    /// <summary>The shim.</summary>
    public ShimConnection Shim => shim;

    /// <summary>How its first process ended, where that was told.</summary>
    public DeleteResponse? Told { get; private set; }

    /// <summary>Is it being deleted, so that the shim goes because it was asked to?</summary>
    public bool IsLeaving { get; set; }

    /// <summary>One deletes at a time.</summary>
    public SemaphoreSlim Deleting { get; } = new(1, 1);

    /// <summary>How a process is.</summary>
    /// <exception cref="RpcException">There is none of that name, or the shim does not say.</exception>
    public Task<StateResponse> StateAsync(string execId, CancellationToken cancellationToken) => shim.CallAsync(
        "State", new StateRequest { Id = Id, ExecId = execId }, StateResponse.Parser, ShimLimits.State, cancellationToken);

    /// <summary>Calls another method of the shim.</summary>
    /// <exception cref="RpcException">The shim's error, or it is gone.</exception>
    public Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> answer, CancellationToken cancellationToken)
        where T : IMessage<T> => shim.CallAsync(method, request, answer, cancellationToken);

    /// <summary>Calls a method that has nothing to answer.</summary>
    public Task CallAsync(string method, IMessage request, CancellationToken cancellationToken) =>
        shim.CallAsync(method, request, Empty.Parser, cancellationToken);

    /// <summary>Waits for the end of a process, however the shim ends.</summary>
    /// <exception cref="RpcException">There is none of that name.</exception>
    public Task<WaitResponse> WaitAsync(string execId, CancellationToken cancellationToken)
    {
        Task<WaitResponse> wait;
        lock (_gate)
        {
            // One for all who wait: the shim is not told of those who stop to.
            if (!_waits.TryGetValue(execId, out wait!))
            {
                wait = WaitCoreAsync(execId);
                if (!wait.IsCompleted)
                {
                    _waits.Add(execId, wait);
                }
            }
        }

        return wait.WaitAsync(cancellationToken);
    }

    /// <summary>Kills all its processes and deletes it in its shim.</summary>
    /// <exception cref="RpcException">The shim refuses.</exception>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync("Kill", new KillRequest { Id = Id, Signal = KillSignal, All = true }, cancellationToken).ConfigureAwait(false);
            await WaitAsync(string.Empty, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException ended) when (ended.Code is RpcCode.NotFound or RpcCode.FailedPrecondition)
        {
        }

        await shim.CallAsync("Delete", new DeleteRequest { Id = Id }, DeleteResponse.Parser, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until it has been cleaned up after a shim that is gone; gives how it ended.</summary>
    public Task<DeleteResponse> LostAsync() => _lost.Task;

    /// <summary>Remembers how the first process ended; an earlier task of the same name had another process.</summary>
    public void Note(DeleteResponse exit)
    {
        if (pid == 0 || exit.Pid == pid)
        {
            Told ??= exit;
        }
    }

    /// <summary>Has all who wait learn how it ended without its shim.</summary>
    public void Lose(DeleteResponse exit) => _lost.TrySetResult(exit);

    /// <summary>Has all who wait learn that nobody knows any more.</summary>
    public void Abandon() => _lost.TrySetException(Gone());

    private static RpcException Gone() => new(RpcCode.Unavailable, "The task's shim cannot be reached.");

    private async Task<WaitResponse> WaitCoreAsync(string execId)
    {
        // Whoever asks holds the lock until the first time this waits.
        await Task.Yield();
        try
        {
            return await shim.CallAsync("Wait", new WaitRequest { Id = Id, ExecId = execId }, WaitResponse.Parser, CancellationToken.None).ConfigureAwait(false);
        }
        catch (RpcException gone) when (gone.Code == RpcCode.Unavailable)
        {
            if (!await shim.IsGoneAsync().ConfigureAwait(false))
            {
                throw;
            }

            // A shim that was asked to go has told before how it ended.
            var exit = IsLeaving && Told is { } told ? told : await _lost.Task.ConfigureAwait(false);
            return new WaitResponse { ExitStatus = execId.Length == 0 ? exit.ExitStatus : LostTask.UnknownStatus, ExitedAt = exit.ExitedAt };
        }
        finally
        {
            lock (_gate)
            {
                _waits.Remove(execId);
            }
        }
    }
}
