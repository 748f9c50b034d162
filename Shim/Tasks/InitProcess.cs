using ImageStore.Runtime.Protocol.Happened;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Cgroups;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Oci;
using ImageStore.Shim.Processes;
using ImageStore.Shim.Stdio;
using Status = ImageStore.Runtime.Protocol.Tasks.TaskStatus;

namespace ImageStore.Shim.Tasks;

/// <summary>A container's first process, and with it the container as the OCI runtime knows it.</summary>
internal sealed class InitProcess : TaskProcess
{
    private static readonly TimeSpan s_endTime = TimeSpan.FromSeconds(5);

    private readonly ShimParts _parts;
    private readonly Container _container;
    private readonly CreateTaskRequest _request;
    private OomWatch? _memoryWatch;
    private bool _isPausing;

    public InitProcess(ShimParts parts, Container container, CreateTaskRequest request)
        : base(request.Id, new StdioRequest(request.Stdin, request.Stdout, request.Stderr, request.Terminal), parts.Loop) =>
        (_parts, _container, _request) = (parts, container, request);

    /// <summary>Has it ended, though containerd may not have been told yet? Then nothing begins any more beside it.</summary>
    public bool IsGone { get; private set; }

    /// <summary>Where its use of the machine is counted; null where that cannot be seen.</summary>
    public Cgroup? Cgroup { get; private set; }

    /// <summary>How it stands, which all processes of a paused container share.</summary>
    public Status ShownStatus => _isPausing ? Status.Pausing : Status;

    private bool IsCheckpoint => _request.Checkpoint.Length > 0;

    /// <summary>Has the runtime make the container. One that is made of a checkpoint is made when it is started.</summary>
    public async Task CreateAsync(CancellationToken cancellation)
    {
        using var start = _parts.Children.BeginStart();
        Stdio = await OpenStdioAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!IsCheckpoint)
            {
                await _container.Runtime.CreateAsync(
                    Id, _container.Files.Path, _container.Files.InitPid, _container.Options, Stdio.ConsoleSocket, Stdio.Child,
                    cancellation).ConfigureAwait(false);
                await BegunAsync(cancellation).ConfigureAwait(false);
            }
        }
        catch
        {
            Stdio.Dispose();
            throw;
        }

        _parts.Events.Publish(new TaskCreate
        {
            ContainerId = Id,
            Bundle = _request.Bundle,
            Rootfs = { _request.Rootfs },
            Io = new TaskIO { Stdin = Request.Stdin, Stdout = Request.Stdout, Stderr = Request.Stderr, Terminal = Request.Terminal },
            Checkpoint = _request.Checkpoint,
            Pid = (uint)Pid,
        });
        Follow(start);
    }

    /// <summary>Has it begin.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        using var pass = await Gate.EnterAsync(cancellation).ConfigureAwait(false);
        Need("started", Status.Created);
        using var start = _parts.Children.BeginStart();
        _parts.Children.Unknow(Pid);
        try
        {
            if (IsCheckpoint)
            {
                await RestoreAsync(cancellation).ConfigureAwait(false);
            }
            else
            {
                await _container.Runtime.StartAsync(Id, cancellation).ConfigureAwait(false);
            }

            Status = Status.Running;
            _parts.Events.Publish(new TaskStart { ContainerId = Id, Pid = (uint)Pid });
        }
        finally
        {
            // It may have ended by now: that is told after its start, and also where it could not be started.
            Follow(start);
        }
    }

    /// <summary>Sends a signal to it, or to all processes of the container.</summary>
    public async Task KillAsync(uint signal, bool all, CancellationToken cancellation)
    {
        using var pass = await Gate.EnterAsync(cancellation).ConfigureAwait(false);
        if (IsGone && !all)
        {
            throw new RpcException(RpcCode.NotFound, "The process has ended already.");
        }

        if (signal == Signals.Kill && !all && Status is (Status.Created or Status.Running) && Exit is null && Pid != 0 && Signals.Send(Pid, Signals.Kill) == 0)
        {
            // No runtime is needed for it: the process is our child and not reaped, so that its number is nobody else's. One that is
            // paused has to be thawed as well, which the runtime does.
            return;
        }

        await _container.Runtime.KillAsync(Id, signal, all, cancellation).ConfigureAwait(false);
    }

    /// <summary>Stops all processes of the container where they are.</summary>
    public async Task PauseAsync(CancellationToken cancellation)
    {
        using var pass = await Gate.EnterAsync(cancellation).ConfigureAwait(false);
        Need("paused", Status.Running);
        _isPausing = true;
        try
        {
            await _container.Runtime.PauseAsync(Id, cancellation).ConfigureAwait(false);
        }
        finally
        {
            _isPausing = false;
        }

        // It may have ended meanwhile, which stays so.
        if (Exit is null)
        {
            Status = Status.Paused;
            _parts.Events.Publish(new TaskPaused { ContainerId = Id });
        }
    }

    /// <summary>Has them go on.</summary>
    public async Task ResumeAsync(CancellationToken cancellation)
    {
        using var pass = await Gate.EnterAsync(cancellation).ConfigureAwait(false);
        Need("resumed", Status.Paused);
        await _container.Runtime.ResumeAsync(Id, cancellation).ConfigureAwait(false);
        if (Exit is null)
        {
            Status = Status.Running;
            _parts.Events.Publish(new TaskResumed { ContainerId = Id });
        }
    }

    /// <summary>Writes a checkpoint of the container.</summary>
    public async Task CheckpointAsync(Checkpoint checkpoint, CancellationToken cancellation)
    {
        using var pass = await Gate.EnterAsync(cancellation).ConfigureAwait(false);
        Need("checkpointed", Status.Running, Status.Paused);
        await _container.Runtime.CheckpointAsync(Id, checkpoint, cancellation).ConfigureAwait(false);
    }

    /// <summary>Changes the container's limits.</summary>
    /// <param name="resources">OCI Linux resources as JSON.</param>
    /// <param name="cancellation">Kills the runtime.</param>
    public async Task UpdateAsync(ReadOnlyMemory<byte> resources, CancellationToken cancellation)
    {
        using var pass = await Gate.EnterAsync(cancellation).ConfigureAwait(false);
        Need("updated", Status.Created, Status.Running, Status.Paused);
        using var file = _container.Files.Scratch().With(resources.Span);
        await _container.Runtime.UpdateAsync(Id, file.Path, cancellation).ConfigureAwait(false);
    }

    /// <summary>Removes what is left of the container.</summary>
    public async Task DeleteAsync(CancellationToken cancellation)
    {
        using var pass = await Gate.EnterAsync(cancellation).ConfigureAwait(false);
        Need("deleted", Status.Created, Status.Stopped);
        await CloseStdioAsync().ConfigureAwait(false);
        try
        {
            using var limit = _parts.Unattended.Begin();
            await _container.Runtime.DeleteAsync(Id, force: false, limit.Token).ConfigureAwait(false);
        }
        finally
        {
            await _container.UnmountAsync().ConfigureAwait(false);
        }

        // One that was never started ends by its deletion; that it ended, and how, is told before.
        if (Pid != 0 && !await HasEndedAsync().ConfigureAwait(false))
        {
            throw new RpcException(RpcCode.Unavailable, $"The container's processes have not ended within {s_endTime}: delete it again.");
        }

        SetDeleted();
        _parts.Events.Publish(new TaskDelete { ContainerId = Id, Pid = (uint)Pid, ExitStatus = ExitStatus, ExitedAt = ExitedAt });
    }

    private async Task<bool> HasEndedAsync()
    {
        await Task.WhenAny(Ended, Task.Delay(s_endTime, _parts.Loop.Time, CancellationToken.None)).ConfigureAwait(false);
        return Ended.IsCompleted;
    }

    private Task<ProcessStdio> OpenStdioAsync(CancellationToken cancellation) =>
        _parts.Stdio.OpenAsync(Request, Id, _container.Options.IoUid, _container.Options.IoGid, cancellation);

    private async Task RestoreAsync(CancellationToken cancellation)
    {
        var work = _container.Options.CriuWorkPath.Length > 0 ? _container.Options.CriuWorkPath : _container.Files.Work;
        await _container.Runtime.RestoreAsync(
            Id, _container.Files.Path, _container.Files.InitPid, _container.Options, new Checkpoint(_request.Checkpoint, work, _request.ParentCheckpoint),
            Stdio!.ConsoleSocket, Stdio.Child, cancellation).ConfigureAwait(false);
        await BegunAsync(cancellation).ConfigureAwait(false);
    }

    private async Task BegunAsync(CancellationToken cancellation)
    {
        await Stdio!.BeginAsync(cancellation).ConfigureAwait(false);
        Pid = PidFile.Read(_container.Files.InitPid) ?? throw new RpcException(RpcCode.Unknown, "The OCI runtime left no process id.");
        Cgroup = Cgroup.Of(Pid);

        // From now on, since a process can run out of memory before its start is answered.
        _memoryWatch = Cgroup?.WatchMemory(_parts.Loop, () => _parts.Events.Publish(new TaskOOM { ContainerId = Id }));
    }

    private void Follow(Children.StartUnderWay start)
    {
        if (Pid != 0)
        {
            _parts.Children.Know(Pid, start, exit => _ = EndedAsync(exit));
        }
    }

    // Of a container its first process is the last whose end is told.
    private async Task EndedAsync(ExitRecord exit)
    {
        IsGone = true;
        if (!_container.HasOwnPids)
        {
            await _parts.Unattended.TryAsync(
                "kill what the process left",
                limit => _container.Runtime.KillAsync(Id, (uint)Signals.Kill, all: true, limit)).ConfigureAwait(false);
        }

        await _container.ExecsEndedAsync().ConfigureAwait(false);
        if (Status == Status.Paused)
        {
            await _parts.Unattended.TryAsync(
                "resume a container whose process has ended", limit => _container.Runtime.ResumeAsync(Id, limit)).ConfigureAwait(false);
        }

        // That it was killed for want of memory is told before its end, which the loop may have heard of first.
        _memoryWatch?.Look();
        _memoryWatch?.Dispose();
        _parts.Events.Publish(new TaskExit
        {
            ContainerId = Id,
            Id = Id,
            Pid = (uint)exit.Pid,
            ExitStatus = (uint)exit.Code,
            ExitedAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(exit.At),
        });
        SetEnded(exit);
    }
}
