using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Runc;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Oci;
using ImageStore.Store.Errors;
using TaskStatus = ImageStore.Runtime.Protocol.Tasks.TaskStatus;

namespace ImageStore.Shim.Tasks;

/// <summary>containerd's service <c>Task</c>, whose versions 2 and 3 differ in their names only.</summary>
internal sealed class TaskService(ShimParts parts)
{
    private const string Version2 = "containerd.task.v2.Task";
    private const string Version3 = "containerd.task.v3.Task";
    private const string DetailsType = "containerd.runc.v1.ProcessDetails";
    private const int MostContainers = 4096;

    private static readonly Empty s_nothing = new();

    private readonly Dictionary<string, Container?> _containers = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _stopped = new();

    /// <summary>Ends when the shim is asked to, and has nothing to care for.</summary>
    public Task Stopped => _stopped.Task;

    /// <summary>Has it no container, and makes none?</summary>
    public bool IsIdle => _containers.Count == 0;

    /// <summary>Takes no more containers.</summary>
    public void Stop() => _stopped.TrySetResult();

    /// <summary>Answers a call.</summary>
    /// <exception cref="RpcException">The answer is an error.</exception>
    public Task<IMessage> HandleAsync(RpcCall call, CancellationToken cancellation) => call.Service is Version2 or Version3
        ? MethodAsync(call, cancellation)
        : throw new RpcException(RpcCode.Unimplemented, $"The service {Printable.Of(call.Service)} is not served here.");

    private async Task<IMessage> MethodAsync(RpcCall call, CancellationToken caller)
    {
        using var time = new OperationTime(call, parts.Loop.Time, caller);
        return call.Method switch
        {
            "Create" => await CreateAsync(CreateTaskRequest.Parser.ParseFrom(call.Message), time.End).ConfigureAwait(false),
            "Start" => await StartAsync(StartRequest.Parser.ParseFrom(call.Message), time.End).ConfigureAwait(false),
            "Delete" => await DeleteAsync(DeleteRequest.Parser.ParseFrom(call.Message), time.End).ConfigureAwait(false),
            "Exec" => Exec(ExecProcessRequest.Parser.ParseFrom(call.Message)),
            "State" => State(StateRequest.Parser.ParseFrom(call.Message)),
            "Wait" => await WaitAsync(WaitRequest.Parser.ParseFrom(call.Message), caller).ConfigureAwait(false),
            "Kill" => await KillAsync(KillRequest.Parser.ParseFrom(call.Message), time.End).ConfigureAwait(false),
            "Pids" => await PidsAsync(PidsRequest.Parser.ParseFrom(call.Message), caller).ConfigureAwait(false),
            "Pause" => await PauseAsync(PauseRequest.Parser.ParseFrom(call.Message), time.End).ConfigureAwait(false),
            "Resume" => await ResumeAsync(ResumeRequest.Parser.ParseFrom(call.Message), time.End).ConfigureAwait(false),
            "ResizePty" => Resize(ResizePtyRequest.Parser.ParseFrom(call.Message)),
            "CloseIO" => CloseInput(CloseIORequest.Parser.ParseFrom(call.Message)),
            "Update" => await UpdateAsync(UpdateTaskRequest.Parser.ParseFrom(call.Message), time.End).ConfigureAwait(false),
            "Checkpoint" => await CheckpointAsync(CheckpointTaskRequest.Parser.ParseFrom(call.Message), time.End).ConfigureAwait(false),
            "Stats" => Stats(StatsRequest.Parser.ParseFrom(call.Message)),
            "Connect" => Connect(ConnectRequest.Parser.ParseFrom(call.Message)),
            "Shutdown" => Shutdown(),
            _ => throw new RpcException(RpcCode.Unimplemented, $"The method {Printable.Of(call.Method)} is not served here."),
        };
    }

    private async Task<CreateTaskResponse> CreateAsync(CreateTaskRequest request, CancellationToken cancellation)
    {
        ProcessName.Check(request.Id);
        if (_stopped.Task.IsCompleted)
        {
            throw new RpcException(RpcCode.Unavailable, "This shim is ending: another has to be started.");
        }

        if (_containers.Count >= MostContainers)
        {
            throw new RpcException(RpcCode.ResourceExhausted, $"This shim has {MostContainers} containers already.");
        }

        if (!_containers.TryAdd(request.Id, null))
        {
            throw new RpcException(RpcCode.AlreadyExists, $"There is a container {request.Id} already.");
        }

        try
        {
            var made = await Container.CreateAsync(parts, request, cancellation).ConfigureAwait(false);
            _containers[request.Id] = made;
            return new CreateTaskResponse { Pid = (uint)made.Init.Pid };
        }
        catch
        {
            _containers.Remove(request.Id);
            throw;
        }
    }

    private async Task<StartResponse> StartAsync(StartRequest request, CancellationToken cancellation)
    {
        var container = Find(request.Id);
        var starting = request.ExecId.Length == 0 ? container.Init.StartAsync(cancellation) : container.Exec(request.ExecId).StartAsync(cancellation);
        await starting.ConfigureAwait(false);
        return new StartResponse { Pid = (uint)container.Process(request.ExecId).Pid };
    }

    private async Task<DeleteResponse> DeleteAsync(DeleteRequest request, CancellationToken cancellation)
    {
        var container = Find(request.Id);
        var process = container.Process(request.ExecId);
        if (process is ExecProcess exec)
        {
            await exec.DeleteAsync(cancellation).ConfigureAwait(false);
        }
        else
        {
            // By its one deletion: a second has waited for the first, and found it deleted.
            await container.Init.DeleteAsync(cancellation).ConfigureAwait(false);
            _containers.Remove(request.Id);
        }

        return new DeleteResponse { Pid = (uint)process.Pid, ExitStatus = process.ExitStatus, ExitedAt = process.ExitedAt };
    }

    private Empty Exec(ExecProcessRequest request)
    {
        Find(request.Id).Add(request);
        return s_nothing;
    }

    private StateResponse State(StateRequest request)
    {
        var container = Find(request.Id);
        var process = container.Process(request.ExecId);
        return new StateResponse
        {
            Id = process.Id,
            Bundle = container.Files.Path,
            Pid = (uint)process.Pid,
            Status = process is InitProcess || container.Init.ShownStatus is TaskStatus.Paused or TaskStatus.Pausing
                ? container.Init.ShownStatus : process.Status,
            Stdin = process.Request.Stdin,
            Stdout = process.Request.Stdout,
            Stderr = process.Request.Stderr,
            Terminal = process.Request.Terminal,
            ExitStatus = process.ExitStatus,
            ExitedAt = process.ExitedAt,
        };
    }

    private async Task<WaitResponse> WaitAsync(WaitRequest request, CancellationToken cancellation)
    {
        var process = Find(request.Id).Process(request.ExecId);
        await process.Ended.WaitAsync(cancellation).ConfigureAwait(false);
        return new WaitResponse { ExitStatus = process.ExitStatus, ExitedAt = process.ExitedAt };
    }

    private async Task<Empty> KillAsync(KillRequest request, CancellationToken cancellation)
    {
        var container = Find(request.Id);
        if (request.ExecId.Length > 0)
        {
            container.Exec(request.ExecId).Kill(request.Signal);
        }
        else
        {
            await container.Init.KillAsync(request.Signal, request.All, cancellation).ConfigureAwait(false);
        }

        return s_nothing;
    }

    private async Task<PidsResponse> PidsAsync(PidsRequest request, CancellationToken cancellation)
    {
        var container = Find(request.Id);
        var answer = new PidsResponse();
        foreach (var pid in await container.Runtime.PidsAsync(request.Id, cancellation).ConfigureAwait(false))
        {
            var exec = container.Execs.FirstOrDefault(exec => exec.Pid == (int)pid);
            var details = exec is null ? null : new Any { TypeUrl = DetailsType, Value = new ProcessDetails { ExecId = exec.Id }.ToByteString() };
            answer.Processes.Add(new ProcessInfo { Pid = pid, Info = details });
        }

        return answer;
    }

    private async Task<Empty> PauseAsync(PauseRequest request, CancellationToken cancellation)
    {
        await Find(request.Id).Init.PauseAsync(cancellation).ConfigureAwait(false);
        return s_nothing;
    }

    private async Task<Empty> ResumeAsync(ResumeRequest request, CancellationToken cancellation)
    {
        await Find(request.Id).Init.ResumeAsync(cancellation).ConfigureAwait(false);
        return s_nothing;
    }

    private Empty Resize(ResizePtyRequest request)
    {
        Find(request.Id).Process(request.ExecId).Resize(request.Width, request.Height);
        return s_nothing;
    }

    private Empty CloseInput(CloseIORequest request)
    {
        Find(request.Id).Process(request.ExecId).CloseInput();
        return s_nothing;
    }

    private async Task<Empty> UpdateAsync(UpdateTaskRequest request, CancellationToken cancellation)
    {
        await Find(request.Id).Init.UpdateAsync(request.Resources?.Value.Memory ?? default, cancellation).ConfigureAwait(false);
        return s_nothing;
    }

    private async Task<Empty> CheckpointAsync(CheckpointTaskRequest request, CancellationToken cancellation)
    {
        var container = Find(request.Id);
        var making = TaskOptions.Checkpoint(request.Options);
        var work = making.WorkPath.Length > 0 ? making.WorkPath : Path.Combine(container.Files.Work, "criu-work");
        await container.Init.CheckpointAsync(new Checkpoint(request.Path, work, making.ParentPath) { Making = making }, cancellation).ConfigureAwait(false);
        return s_nothing;
    }

    private StatsResponse Stats(StatsRequest request)
    {
        var cgroup = Find(request.Id).Init.Cgroup ?? throw new RpcException(RpcCode.NotFound, "The container's cgroup cannot be seen.");
        return new StatsResponse { Stats = new Any { TypeUrl = cgroup.MetricsType, Value = cgroup.Measure().ToByteString() } };
    }

    private ConnectResponse Connect(ConnectRequest request) => new()
    {
        ShimPid = (uint)Environment.ProcessId,
        TaskPid = (uint)(_containers.GetValueOrDefault(request.Id)?.Init.Pid ?? 0),
    };

    private Empty Shutdown()
    {
        if (IsIdle)
        {
            Stop();
        }

        return s_nothing;
    }

    private Container Find(string id) => _containers.GetValueOrDefault(id)
        ?? throw new RpcException(RpcCode.NotFound, $"There is no container {Printable.Of(id)} here.");
}
