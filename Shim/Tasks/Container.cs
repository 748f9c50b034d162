using ImageStore.Runtime.Protocol.Happened;
using ImageStore.Runtime.Protocol.Runc;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Mounts;
using ImageStore.Shim.Oci;
using ImageStore.Store.Errors;
using TaskStatus = ImageStore.Runtime.Protocol.Tasks.TaskStatus;

namespace ImageStore.Shim.Tasks;

/// <summary>A container and its processes.</summary>
internal sealed class Container
{
    private const int MostExecs = 4096;
    private const UnixFileMode RootfsMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly ShimParts _parts;
    private readonly Dictionary<string, ExecProcess> _execs = new(StringComparer.Ordinal);

    private bool _isMounted;

    private Container(ShimParts parts, CreateTaskRequest request)
    {
        _parts = parts;
        Id = request.Id;
        Files = new BundleFiles(request.Bundle);
        Options = TaskOptions.Runtime(request.Options);
        Runtime = new OciRuntime(parts.Commands, Options, parts.Tenant, Files);
        HasOwnPids = BundleSpec.Read(request.Bundle).HasOwnPids;
        Init = new InitProcess(parts, this, request);
    }

    /// <summary>Its id.</summary>
    public string Id { get; }

    /// <summary>Its bundle.</summary>
    public BundleFiles Files { get; }

    /// <summary>How its runtime is used.</summary>
    public Options Options { get; }

    /// <summary>Its runtime.</summary>
    public OciRuntime Runtime { get; }

    /// <summary>Does all of it end with its first process, because the PIDs are its own?</summary>
    public bool HasOwnPids { get; }

    /// <summary>Its first process.</summary>
    public InitProcess Init { get; }

    /// <summary>The processes beside it.</summary>
    public IReadOnlyCollection<ExecProcess> Execs => _execs.Values;

    /// <summary>Makes one: mounts its root, and has the runtime do the rest. When that fails, nothing is left.</summary>
    public static async Task<Container> CreateAsync(ShimParts parts, CreateTaskRequest request, CancellationToken cancellation)
    {
        var container = new Container(parts, request);
        BundleOptions.Write(container.Files, container.Options);
        try
        {
            if (request.Rootfs.Count > 0)
            {
                container._isMounted = true;
                Directory.CreateDirectory(container.Files.Rootfs, RootfsMode);
                Rootfs.Mount(request.Rootfs, container.Files.Rootfs);
            }

            await container.Init.CreateAsync(cancellation).ConfigureAwait(false);
            return container;
        }
        catch
        {
            await container.CleanAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A process of it: the first by an empty id.</summary>
    /// <exception cref="RpcException">There is none of that id.</exception>
    public TaskProcess Process(string execId) => execId.Length == 0 ? Init : Exec(execId);

    /// <summary>A process beside the first.</summary>
    /// <exception cref="RpcException">There is none of that id.</exception>
    public ExecProcess Exec(string execId) => _execs.TryGetValue(execId, out var found)
        ? found : throw new RpcException(RpcCode.NotFound, $"There is no process {Printable.Of(execId)} in the container.");

    /// <summary>Adds a process, which is started later.</summary>
    public void Add(ExecProcessRequest request)
    {
        ProcessName.Check(request.ExecId);
        if (_execs.Count >= MostExecs)
        {
            throw new RpcException(RpcCode.ResourceExhausted, $"The container has {MostExecs} processes already that were not deleted.");
        }

        if (Init.ShownStatus is TaskStatus.Paused or TaskStatus.Pausing or TaskStatus.Stopped)
        {
            throw new RpcException(RpcCode.FailedPrecondition, "In a container that is paused or has ended no process can begin.");
        }

        if (!_execs.TryAdd(request.ExecId, new ExecProcess(_parts, this, request)))
        {
            throw new RpcException(RpcCode.AlreadyExists, $"There is a process {Printable.Of(request.ExecId)} in the container already.");
        }

        _parts.Events.Publish(new TaskExecAdded { ContainerId = Id, ExecId = request.ExecId });
    }

    /// <summary>Forgets a process that has been deleted, though not another of its name that came after it.</summary>
    public void Remove(ExecProcess exec) => ((ICollection<KeyValuePair<string, ExecProcess>>)_execs).Remove(new(exec.Id, exec));

    /// <summary>Ends when all processes that were begun beside the first have ended, and containerd knows.</summary>
    public Task ExecsEndedAsync() => Task.WhenAll(_execs.Values.Where(exec => exec.IsUnderWay).Select(exec => exec.Ended).ToList());

    /// <summary>Unmounts its root, where it was mounted here.</summary>
    public Task UnmountAsync() => _isMounted ? Rootfs.UnmountAsync(Files.Rootfs, _parts.Loop.Time) : Task.CompletedTask;

    private async Task CleanAsync()
    {
        await _parts.Unattended.TryAsync("delete a container that could not be made", limit => Runtime.DeleteAsync(Id, force: true, limit))
            .ConfigureAwait(false);
        await _parts.Unattended.TryAsync("unmount its root", _ => UnmountAsync()).ConfigureAwait(false);
    }
}
