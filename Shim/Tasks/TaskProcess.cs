using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Loop;
using ImageStore.Shim.Processes;
using ImageStore.Shim.Stdio;

namespace ImageStore.Shim.Tasks;

/// <summary>What a container's first process and an exec have in common.</summary>
/// <param name="id">The container's id, or the exec's.</param>
/// <param name="request">Its input and output.</param>
/// <param name="loop">Where it waits.</param>
internal abstract class TaskProcess(string id, StdioRequest request, EventLoop loop)
{
    private static readonly TimeSpan s_drainTime = TimeSpan.FromSeconds(10);

    private readonly TaskCompletionSource<ExitRecord> _ended = new();

    /// <summary>As events and answers have it.</summary>
    public string Id => id;

    /// <summary>Its input and output, as they were asked for.</summary>
    public StdioRequest Request => request;

    /// <summary>Lets its operations in one by one.</summary>
    public Gate Gate { get; } = new(loop);

    /// <summary>Its process id; 0 before there is one.</summary>
    public int Pid { get; protected set; }

    /// <summary>How it stands.</summary>
    public Runtime.Protocol.Tasks.TaskStatus Status { get; protected set; } = Runtime.Protocol.Tasks.TaskStatus.Created;

    /// <summary>Ends with its end, which has been published then.</summary>
    public Task<ExitRecord> Ended => _ended.Task;

    /// <summary>How it ended, or null as long as it has not.</summary>
    public ExitRecord? Exit => _ended.Task.IsCompletedSuccessfully ? _ended.Task.Result : null;

    /// <summary>When it ended, as answers have it: without a time as long as it has not.</summary>
    public Timestamp? ExitedAt => Exit is { } exit ? Timestamp.FromDateTimeOffset(exit.At) : null;

    /// <summary>Its exit code; 0 as long as it has not ended.</summary>
    public uint ExitStatus => (uint)(Exit?.Code ?? 0);

    /// <summary>Has it been deleted? Whoever has waited at the gate finds nothing any more.</summary>
    protected bool IsDeleted { get; private set; }

    protected ProcessStdio? Stdio { get; set; }

    /// <summary>Lets its input end.</summary>
    public void CloseInput() => Stdio?.CloseInput();

    /// <summary>Sets its terminal's size.</summary>
    public void Resize(uint columns, uint rows) =>
        Stdio?.Resize((ushort)Math.Min(columns, ushort.MaxValue), (ushort)Math.Min(rows, ushort.MaxValue));

    /// <summary>It has ended, and containerd has been told.</summary>
    protected void SetEnded(ExitRecord exit)
    {
        Status = Runtime.Protocol.Tasks.TaskStatus.Stopped;
        Stdio?.ProcessEnded();
        _ended.TrySetResult(exit);
    }

    /// <summary>Nothing is left of it.</summary>
    protected void SetDeleted() => IsDeleted = true;

    /// <summary>Lets pass where the process is as it has to be.</summary>
    /// <param name="action">What is to be done, such as <c>started</c>.</param>
    /// <param name="allowed">How it may be.</param>
    /// <exception cref="RpcException">It is otherwise, or has been deleted.</exception>
    protected void Need(string action, params ReadOnlySpan<Runtime.Protocol.Tasks.TaskStatus> allowed)
    {
        if (IsDeleted)
        {
            throw new RpcException(RpcCode.NotFound, "The process has been deleted.");
        }

        if (!allowed.Contains(Status))
        {
            throw new RpcException(RpcCode.FailedPrecondition, $"A process that is {Status.ToString().ToLowerInvariant()} cannot be {action}.");
        }
    }

    /// <summary>Waits for what it wrote to get where it goes to, but not for ever, and closes everything.</summary>
    protected async Task CloseStdioAsync()
    {
        if (Stdio is { } stdio)
        {
            await Task.WhenAny(stdio.Drained, Task.Delay(s_drainTime, loop.Time, CancellationToken.None)).ConfigureAwait(false);
            stdio.Dispose();
        }
    }
}
