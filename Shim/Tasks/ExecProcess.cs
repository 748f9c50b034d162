using System.Globalization;
using ImageStore.Runtime.Protocol.Happened;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Oci;
using ImageStore.Shim.Processes;
using ImageStore.Shim.Stdio;
using Status = ImageStore.Runtime.Protocol.Tasks.TaskStatus;

namespace ImageStore.Shim.Tasks;

/// <summary>A further process of a container.</summary>
internal sealed class ExecProcess : TaskProcess
{
    private const int NeverBegun = 255;

    private readonly ShimParts _parts;
    private readonly Container _container;
    private readonly byte[] _spec;

    public ExecProcess(ShimParts parts, Container container, ExecProcessRequest request)
        : base(request.ExecId, new StdioRequest(request.Stdin, request.Stdout, request.Stderr, request.Terminal), parts.Loop)
    {
        (_parts, _container) = (parts, container);
        _spec = ExecSpec.WithTerminal(request.Spec?.Value ?? Google.Protobuf.ByteString.Empty, request.Terminal);
    }

    /// <summary>Has its start begun, so that its end is waited for?</summary>
    public bool IsUnderWay { get; private set; }

    /// <summary>Has it begin.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        using var pass = await Gate.EnterAsync(cancellation).ConfigureAwait(false);
        Need("started", Status.Created);
        if (_container.Init.IsGone)
        {
            throw new RpcException(RpcCode.FailedPrecondition, "The container's first process has ended.");
        }

        IsUnderWay = true;
        using var start = _parts.Children.BeginStart();
        try
        {
            await BeginAsync(cancellation).ConfigureAwait(false);
        }
        catch
        {
            Stdio?.Dispose();
            SetEnded(new ExitRecord(0, NeverBegun, _parts.Loop.Time.GetUtcNow()));
            throw;
        }

        Status = Status.Running;
        _parts.Events.Publish(new TaskExecStarted { ContainerId = _container.Id, ExecId = Id, Pid = (uint)Pid });
        _parts.Children.Know(Pid, start, Finished);
    }

    /// <summary>Sends it a signal.</summary>
    public void Kill(uint signal)
    {
        if (Pid == 0)
        {
            throw new RpcException(RpcCode.FailedPrecondition, "The process was not started.");
        }

        var error = Exit is null ? Signals.Send(Pid, (int)signal) : Errno.NoProcess;
        if (error != 0)
        {
            throw error == Errno.NoProcess
                ? new RpcException(RpcCode.NotFound, "The process has ended already.")
                : new RpcException(
                    RpcCode.InvalidArgument, string.Create(CultureInfo.InvariantCulture, $"The signal {signal} cannot be sent (errno {error})."));
        }
    }

    /// <summary>Removes what is left of it.</summary>
    public async Task DeleteAsync(CancellationToken cancellation)
    {
        using var pass = await Gate.EnterAsync(cancellation).ConfigureAwait(false);
        Need("deleted", Status.Created, Status.Stopped);
        await CloseStdioAsync().ConfigureAwait(false);
        SetDeleted();
        _container.Remove(this);
        if (!Ended.IsCompleted)
        {
            SetEnded(new ExitRecord(0, NeverBegun, _parts.Loop.Time.GetUtcNow()));
        }
    }

    private async Task BeginAsync(CancellationToken cancellation)
    {
        Stdio = await _parts.Stdio.OpenAsync(Request, Id, _container.Options.IoUid, _container.Options.IoGid, cancellation).ConfigureAwait(false);
        using var pid = _container.Files.Scratch();
        using (var spec = _container.Files.Scratch().With(_spec))
        {
            await _container.Runtime.ExecAsync(_container.Id, spec.Path, pid.Path, Stdio.ConsoleSocket, Stdio.Child, cancellation).ConfigureAwait(false);
        }

        await Stdio.BeginAsync(cancellation).ConfigureAwait(false);
        Pid = PidFile.Read(pid.Path) ?? throw new RpcException(RpcCode.Unknown, "The OCI runtime left no process id.");
    }

    private void Finished(ExitRecord exit)
    {
        _parts.Events.Publish(new TaskExit
        {
            ContainerId = _container.Id,
            Id = Id,
            Pid = (uint)exit.Pid,
            ExitStatus = (uint)exit.Code,
            ExitedAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(exit.At),
        });
        SetEnded(exit);
    }
}
