using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Filters;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Shims;
using ImageStore.Runtime.Tasks;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Store.Containers;
using ImageStore.Store.Errors;
using Shim = ImageStore.Runtime.Protocol.Tasks;
using V1 = ImageStore.Daemon.Protocol.TasksV1;

namespace ImageStore.Daemon.Api;

/// <summary><c>containerd.services.tasks.v1</c>: runs containers by the shims that their runtimes name.</summary>
internal sealed class TasksService(TaskManager tasks, Tenants tenants, TimeProvider time) : V1.Tasks.TasksBase
{
    public override async Task<V1.CreateTaskResponse> Create(V1.CreateTaskRequest request, ServerCallContext context)
    {
        if (request.Checkpoint is not null)
        {
            throw new ImageStoreException(ErrorKind.Unsupported, "Tasks are not made of checkpoints.", "Make it of the container's image.");
        }

        var tenant = tenants.Of(context);
        var container = tenant.Containers.Find(request.ContainerId) ?? throw ContainerCatalogue.Missing(request.ContainerId);
        var creation = new TaskCreation
        {
            Namespace = tenant.Namespace,
            Id = container.Id,
            Runtime = request.RuntimePath.Length > 0 ? request.RuntimePath : container.Runtime,
            Spec = container.Spec?.Value
                ?? throw new ImageStoreException(ErrorKind.FailedPrecondition, $"The container {container.Id} has no specification to run by."),
            Rootfs = request.Rootfs,
            Stdin = request.Stdin,
            Stdout = request.Stdout,
            Stderr = request.Stderr,
            Terminal = request.Terminal,
            RuntimeOptions = ContainerMessages.ToWire(container.RuntimeOptions),
            Options = request.Options,
        };
        return new V1.CreateTaskResponse
        {
            ContainerId = container.Id, Pid = await tasks.CreateAsync(creation, context.CancellationToken).ConfigureAwait(false),
        };
    }

    public override async Task<V1.StartResponse> Start(V1.StartRequest request, ServerCallContext context)
    {
        var asked = new StartRequest { Id = request.ContainerId, ExecId = request.ExecId };
        var started = await Find(request.ContainerId, context).CallAsync("Start", asked, StartResponse.Parser, context.CancellationToken).ConfigureAwait(false);
        return new V1.StartResponse { Pid = started.Pid };
    }

    public override async Task<V1.DeleteResponse> Delete(V1.DeleteTaskRequest request, ServerCallContext context) =>
        ToWire(request.ContainerId, await tasks.DeleteAsync(Find(request.ContainerId, context), context.CancellationToken).ConfigureAwait(false));

    public override async Task<V1.DeleteResponse> DeleteProcess(V1.DeleteProcessRequest request, ServerCallContext context)
    {
        if (request.ExecId.Length == 0)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, "The request names no process.", "The first process is deleted with its task.");
        }

        var asked = new DeleteRequest { Id = request.ContainerId, ExecId = request.ExecId };
        return ToWire(
            request.ExecId,
            await Find(request.ContainerId, context).CallAsync("Delete", asked, DeleteResponse.Parser, context.CancellationToken).ConfigureAwait(false));
    }

    public override async Task<V1.GetResponse> Get(V1.GetRequest request, ServerCallContext context) =>
        new() { Process = await StateAsync(Find(request.ContainerId, context), request.ExecId, context.CancellationToken).ConfigureAwait(false) };

    public override async Task<V1.ListTasksResponse> List(V1.ListTasksRequest request, ServerCallContext context)
    {
        var found = await Task.WhenAll(
            tasks.List(Tenants.NamespaceOf(context)).Select(task => TryStateAsync(task, context.CancellationToken))).ConfigureAwait(false);
        return new V1.ListTasksResponse { Tasks = { found.OfType<Process>() } };
    }

    public override Task<Empty> Kill(V1.KillRequest request, ServerCallContext context) => DoAsync(
        request.ContainerId, "Kill", new KillRequest { Id = request.ContainerId, ExecId = request.ExecId, Signal = request.Signal, All = request.All }, context);

    public override Task<Empty> Exec(V1.ExecProcessRequest request, ServerCallContext context)
    {
        if (request.ExecId.Length == 0)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, "The request gives the process no id.");
        }

        var asked = new ExecProcessRequest
        {
            Id = request.ContainerId, ExecId = request.ExecId, Terminal = request.Terminal,
            Stdin = request.Stdin, Stdout = request.Stdout, Stderr = request.Stderr, Spec = request.Spec,
        };
        return DoAsync(request.ContainerId, "Exec", asked, context);
    }

    public override Task<Empty> ResizePty(V1.ResizePtyRequest request, ServerCallContext context) => DoAsync(
        request.ContainerId, "ResizePty",
        new ResizePtyRequest { Id = request.ContainerId, ExecId = request.ExecId, Width = request.Width, Height = request.Height }, context);

    public override Task<Empty> CloseIO(V1.CloseIORequest request, ServerCallContext context) => DoAsync(
        request.ContainerId, "CloseIO", new CloseIORequest { Id = request.ContainerId, ExecId = request.ExecId, Stdin = request.Stdin }, context);

    public override Task<Empty> Pause(V1.PauseTaskRequest request, ServerCallContext context) =>
        DoAsync(request.ContainerId, "Pause", new PauseRequest { Id = request.ContainerId }, context);

    public override Task<Empty> Resume(V1.ResumeTaskRequest request, ServerCallContext context) =>
        DoAsync(request.ContainerId, "Resume", new ResumeRequest { Id = request.ContainerId }, context);

    public override async Task<V1.ListPidsResponse> ListPids(V1.ListPidsRequest request, ServerCallContext context)
    {
        var found = await Find(request.ContainerId, context).CallAsync(
            "Pids", new PidsRequest { Id = request.ContainerId }, PidsResponse.Parser, context.CancellationToken).ConfigureAwait(false);
        return new V1.ListPidsResponse { Processes = { found.Processes } };
    }

    public override Task<Empty> Update(V1.UpdateTaskRequest request, ServerCallContext context) => DoAsync(
        request.ContainerId, "Update",
        new UpdateTaskRequest { Id = request.ContainerId, Resources = request.Resources, Annotations = { request.Annotations } }, context);

    public override async Task<V1.MetricsResponse> Metrics(V1.MetricsRequest request, ServerCallContext context)
    {
        var filter = Filter.Parse(request.Filters);
        var found = await Task.WhenAll(
            tasks.List(Tenants.NamespaceOf(context)).Where(task => filter.Matches(FieldsOf(task)))
                .Select(task => TryMetricsAsync(task, context.CancellationToken))).ConfigureAwait(false);
        return new V1.MetricsResponse { Metrics = { found.OfType<V1.Metric>() } };
    }

    public override async Task<V1.WaitResponse> Wait(V1.WaitRequest request, ServerCallContext context)
    {
        var end = await Find(request.ContainerId, context).WaitAsync(request.ExecId, context.CancellationToken).ConfigureAwait(false);
        return new V1.WaitResponse { ExitStatus = end.ExitStatus, ExitedAt = end.ExitedAt };
    }

    private static FieldLookup FieldsOf(RunningTask task) => (IReadOnlyList<string> path, out string value) => path[0] switch
    {
        "id" => Fields.Text(task.Id, out value),
        "namespace" => Fields.Text(task.Namespace, out value),
        _ => Fields.None(out value),
    };

    private static V1.DeleteResponse ToWire(string id, DeleteResponse exit) =>
        new() { Id = id, Pid = exit.Pid, ExitStatus = exit.ExitStatus, ExitedAt = exit.ExitedAt };

    // What has ended meanwhile is left out.
    private static async Task<Process?> TryStateAsync(RunningTask task, CancellationToken cancellationToken)
    {
        try
        {
            return await StateAsync(task, string.Empty, cancellationToken).ConfigureAwait(false);
        }
        catch (Runtime.Ttrpc.RpcException gone) when (gone.Code is RpcCode.NotFound or RpcCode.Unavailable)
        {
            return null;
        }
        catch (Runtime.Ttrpc.RpcException)
        {
            // What is wrong with one is no reason not to show the others.
            return Unknown(task, string.Empty);
        }
    }

    private static Process Unknown(RunningTask task, string execId) =>
        new() { ContainerId = task.Id, Id = execId.Length > 0 ? execId : task.Id, Status = Shim.TaskStatus.Unknown };

    private static async Task<Process> StateAsync(RunningTask task, string execId, CancellationToken cancellationToken)
    {
        StateResponse state;
        try
        {
            state = await task.StateAsync(execId, cancellationToken).ConfigureAwait(false);
        }
        catch (Runtime.Ttrpc.RpcException silent) when (silent.Code == RpcCode.DeadlineExceeded)
        {
            return Unknown(task, execId);
        }

        return new Process
        {
            ContainerId = task.Id,
            Id = state.ExecId.Length > 0 ? state.ExecId : state.Id,
            Pid = state.Pid,
            Status = state.Status,
            Stdin = state.Stdin,
            Stdout = state.Stdout,
            Stderr = state.Stderr,
            Terminal = state.Terminal,
            ExitStatus = state.ExitStatus,
            ExitedAt = state.ExitedAt,
        };
    }

    private async Task<V1.Metric?> TryMetricsAsync(RunningTask task, CancellationToken cancellationToken)
    {
        try
        {
            var stats = await task.Shim.CallAsync("Stats", new StatsRequest { Id = task.Id }, StatsResponse.Parser, ShimLimits.State, cancellationToken).ConfigureAwait(false);
            return new V1.Metric { Timestamp = time.GetUtcNow().ToWire(), Id = task.Id, Data = stats.Stats };
        }
        catch (Runtime.Ttrpc.RpcException)
        {
            // One that has ended has none, which is no reason for the others to have none.
            return null;
        }
    }

    private async Task<Empty> DoAsync(string id, string method, Google.Protobuf.IMessage request, ServerCallContext context)
    {
        await Find(id, context).CallAsync(method, request, context.CancellationToken).ConfigureAwait(false);
        return new Empty();
    }

    private RunningTask Find(string id, ServerCallContext context) => tasks.Get(Tenants.NamespaceOf(context), id);
}
