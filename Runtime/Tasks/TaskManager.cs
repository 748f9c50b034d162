using System.Collections.Concurrent;
using Google.Protobuf;
using ImageStore.Runtime.Protocol.Happened;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Shims;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tasks;

/// <summary>The tasks of all namespaces: has shims begun, finds them again, and cleans up after those that are gone.</summary>
internal sealed class TaskManager : IAsyncDisposable
{
    private const int RestoredAtOnce = 16;

    private readonly string _state;
    private readonly TimeProvider _time;
    private readonly Action<string> _tell;
    private readonly ShimInvocation _shims;
    private readonly ShimLogs _logs;
    private readonly LostTask _lost;
    private readonly TaskFinder _finder;
    private readonly ConcurrentDictionary<(string Namespace, string Id), RunningTask?> _tasks = new();
    private volatile bool _isEnding;

    /// <param name="state">The directory of all bundles.</param>
    /// <param name="caller">How shims reach whoever starts them.</param>
    /// <param name="publish">Is handed the namespace, the topic and the event of what no shim tells.</param>
    /// <param name="tell">Is told in a line what the administrator has to know.</param>
    /// <param name="time">The clock.</param>
    public TaskManager(string state, ShimCaller caller, Action<string, string, IMessage> publish, Action<string> tell, TimeProvider time)
    {
        (_state, _time, _tell) = (state, time, tell);
        _shims = new ShimInvocation(caller);
        _logs = new ShimLogs(line => tell($"shim {line}"));
        _lost = new LostTask(_shims, new TaskEvents(publish), time, tell);
        _finder = new TaskFinder(_lost, _logs, tell, time);
    }

    /// <summary>Those of a namespace.</summary>
    public IReadOnlyList<RunningTask> List(string @namespace) =>
        [.. _tasks.Where(one => one.Key.Namespace == @namespace).Select(one => one.Value).OfType<RunningTask>().OrderBy(task => task.Id, StringComparer.Ordinal)];

    /// <summary>The task of a container.</summary>
    /// <exception cref="ImageStoreException">There is none (<see cref="ErrorKind.NotFound"/>).</exception>
    public RunningTask Get(string @namespace, string id) =>
        _tasks.GetValueOrDefault((@namespace, id)) ?? throw Missing(id);

    /// <summary>Has a shim begun and the container made; its process waits to be started. After a failure nothing of it is left.</summary>
    /// <returns>The process.</returns>
    /// <exception cref="ImageStoreException">There is a task (<see cref="ErrorKind.AlreadyExists"/>), or the shim cannot be begun.</exception>
    /// <exception cref="RpcException">The shim's error.</exception>
    public async Task<uint> CreateAsync(TaskCreation creation, CancellationToken cancellationToken)
    {
        var key = (creation.Namespace, creation.Id);
        if (_tasks.Count >= ShimLimits.Tasks)
        {
            throw new ImageStoreException(ErrorKind.LimitExceeded, $"There are {ShimLimits.Tasks} tasks already.", "Delete some of them.");
        }

        if (!_tasks.TryAdd(key, null))
        {
            throw new ImageStoreException(ErrorKind.AlreadyExists, $"The container {Printable.Of(creation.Id)} has a task already.", "Delete that one first.");
        }

        try
        {
            var program = ShimProgram.Find(creation.Runtime);
            await ClearAsync(creation).ConfigureAwait(false);
            var bundle = TaskBundle.Create(_state, creation.Namespace, creation.Id, program, creation.Spec);
            var (task, pid) = await BeginAsync(creation, bundle, program, cancellationToken).ConfigureAwait(false);
            _tasks[key] = task;
            _ = WatchAsync(task);
            return pid;
        }
        catch
        {
            _tasks.TryRemove(key, out _);
            throw;
        }
    }

    /// <summary>Deletes a task whose process has ended or was never started, and has its shim end.</summary>
    /// <exception cref="RpcException">It runs (<see cref="RpcCode.FailedPrecondition"/>).</exception>
    /// <remarks>It is done also when the caller has gone: a task that its shim has deleted must not stay here.</remarks>
    public Task<DeleteResponse> DeleteAsync(RunningTask task, CancellationToken cancellationToken) =>
        DeleteWholeAsync(task).WaitAsync(cancellationToken);

    /// <summary>Finds the shims again that went on while nobody was here, and cleans up after those that did not.</summary>
    /// <param name="isKnown">Is there such a container, by its namespace and id? A task without one is removed.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task RestoreAsync(Func<string, string, bool> isKnown, CancellationToken cancellationToken) => Parallel.ForEachAsync(
        TaskBundle.All(_state).ToList(),
        new ParallelOptions { MaxDegreeOfParallelism = RestoredAtOnce, CancellationToken = cancellationToken },
        async (bundle, ending) =>
        {
            try
            {
                if (await _finder.FindAsync(bundle, isKnown(bundle.Namespace, bundle.Id), ending).ConfigureAwait(false) is { } task)
                {
                    _tasks[(task.Namespace, task.Id)] = task;
                    _ = WatchAsync(task);
                }
            }
            catch (Exception failure) when (failure is ImageStoreException or IOException or UnauthorizedAccessException)
            {
                // Whatever is wrong with one is no reason for all others to be without a daemon.
                _tell($"the bundle {Printable.Of(bundle.Folder)} cannot be read, and stays: {failure.Message}");
            }
        });

    /// <summary>Remembers an end that a shim told, so that it is known even if the shim is lost before it is asked.</summary>
    public void Note(string @namespace, TaskExit exit)
    {
        if (exit.Id == exit.ContainerId && _tasks.GetValueOrDefault((@namespace, exit.ContainerId)) is { } task)
        {
            task.Note(new DeleteResponse { Pid = exit.Pid, ExitStatus = exit.ExitStatus, ExitedAt = exit.ExitedAt });
        }
    }

    /// <summary>Leaves all shims, which go on.</summary>
    public async ValueTask DisposeAsync()
    {
        _isEnding = true;
        foreach (var task in _tasks.Values.OfType<RunningTask>())
        {
            task.Abandon();
            await task.Shim.DisposeAsync().ConfigureAwait(false);
        }

        _logs.Dispose();
    }

    private static ImageStoreException Missing(string id) => new(ErrorKind.NotFound, $"There is no task {Printable.Of(id)} in this namespace.");

    private async Task<(RunningTask Task, uint Pid)> BeginAsync(
        TaskCreation creation, TaskBundle bundle, string program, CancellationToken cancellationToken)
    {
        ShimConnection? shim = null;
        try
        {
            _logs.Add(bundle.Log, $"{bundle.Namespace}/{bundle.Id}");

            // Once begun, a shim is waited for and connected to: one to which nobody says that it is to end would stay.
            var address = await _shims.StartAsync(
                program, bundle.Folder, bundle.Namespace, bundle.Id, creation.RuntimeOptions, CancellationToken.None).ConfigureAwait(false);
            using var limit = new CancellationTokenSource(ShimLimits.Load, _time);
            shim = await ShimConnection.OpenAsync(address, bundle.Namespace, _time, limit.Token).ConfigureAwait(false);
            bundle.Keep(address);
            cancellationToken.ThrowIfCancellationRequested();
            var request = new CreateTaskRequest
            {
                Id = bundle.Id, Bundle = bundle.Folder, Rootfs = { creation.Rootfs }, Terminal = creation.Terminal,
                Stdin = creation.Stdin, Stdout = creation.Stdout, Stderr = creation.Stderr,
                Options = creation.Options is { Value.Length: > 0 } ? creation.Options : creation.RuntimeOptions,
            };

            // Nor is this given up: a shim that makes a container of which nobody knows would stay with it.
            var made = await shim.CallAsync("Create", request, CreateTaskResponse.Parser, CancellationToken.None).ConfigureAwait(false);
            return (new RunningTask(bundle, program, shim, made.Pid), made.Pid);
        }
        catch
        {
            await UndoAsync(bundle, program, shim).ConfigureAwait(false);
            throw;
        }
    }

    private async Task UndoAsync(TaskBundle bundle, string program, ShimConnection? shim)
    {
        _logs.Remove(bundle.Log);
        if (shim is not null)
        {
            await shim.ShutdownAsync(bundle.Id).ConfigureAwait(false);
            await shim.DisposeAsync().ConfigureAwait(false);
        }

        await _lost.CleanUpAsync(bundle, program).ConfigureAwait(false);
    }

    // What an earlier task of the name has left has to be gone, or the new one would work in it.
    private async Task ClearAsync(TaskCreation creation)
    {
        if (TaskBundle.Find(_state, creation.Namespace, creation.Id) is { } left)
        {
            await _lost.CleanUpAsync(left, left.ProgramKept()).ConfigureAwait(false);
            if (Directory.Exists(left.Folder))
            {
                throw new ImageStoreException(
                    ErrorKind.FailedPrecondition,
                    $"What an earlier task of the container {creation.Id} has left cannot be removed.",
                    $"The daemon's log says why; it is in {left.Folder}.");
            }
        }
    }

    private async Task<DeleteResponse> DeleteWholeAsync(RunningTask task)
    {
        try
        {
            return await DeleteCoreAsync(task).ConfigureAwait(false);
        }
        catch (RpcException gone) when (gone.Code == RpcCode.Unavailable && !_isEnding)
        {
            if (!await task.Shim.IsGoneAsync().ConfigureAwait(false))
            {
                throw;
            }

            // It is cleaned up after, which deletes it too.
            return await task.LostAsync().ConfigureAwait(false);
        }
    }

    private async Task<DeleteResponse> DeleteCoreAsync(RunningTask task)
    {
        await task.Deleting.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            // Somebody else may have been quicker.
            if (_tasks.GetValueOrDefault((task.Namespace, task.Id)) != task)
            {
                throw Missing(task.Id);
            }

            var exit = await DeleteInShimAsync(task).ConfigureAwait(false);
            task.Note(exit);
            await LeaveAsync(task).ConfigureAwait(false);
            task.Lose(exit);
            return exit;
        }
        finally
        {
            task.Deleting.Release();
        }
    }

    private static async Task<DeleteResponse> DeleteInShimAsync(RunningTask task)
    {
        try
        {
            return await task.CallAsync("Delete", new DeleteRequest { Id = task.Id }, DeleteResponse.Parser, CancellationToken.None).ConfigureAwait(false);
        }
        catch (RpcException missing) when (missing.Code == RpcCode.NotFound)
        {
            // It was deleted before, and whoever did it has not come back here.
            return task.Told ?? new DeleteResponse { ExitStatus = LostTask.UnknownStatus };
        }
    }

    private async Task LeaveAsync(RunningTask task)
    {
        task.IsLeaving = true;
        await task.Shim.ShutdownAsync(task.Id).ConfigureAwait(false);
        await task.Shim.DisposeAsync().ConfigureAwait(false);
        _logs.Remove(task.Bundle.Log);
        try
        {
            task.Bundle.Remove();
        }
        catch (ImageStoreException left)
        {
            _tell($"the bundle of {task.Namespace}/{task.Id} is left: {left.Message}");
        }

        _tasks.TryRemove(new KeyValuePair<(string, string), RunningTask?>((task.Namespace, task.Id), task));
    }

    private async Task WatchAsync(RunningTask task)
    {
        await task.Shim.Closed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        await task.Deleting.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            if (task.IsLeaving || _isEnding)
            {
                return;
            }

            _tell($"the shim of {task.Namespace}/{task.Id} is gone: what it had is removed");
            var exit = await _lost.BuryAsync(task.Bundle, task.Program, () => task.Told).ConfigureAwait(false);
            _logs.Remove(task.Bundle.Log);
            _tasks.TryRemove(new KeyValuePair<(string, string), RunningTask?>((task.Namespace, task.Id), task));
            task.Lose(exit);
            await task.Shim.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            task.Deleting.Release();
        }
    }
}
