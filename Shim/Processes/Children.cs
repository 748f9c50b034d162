using ImageStore.Shim.Interop;

namespace ImageStore.Shim.Processes;

/// <summary>Learns of the end of every child and of every orphan below the shim, and loses none.</summary>
/// <remarks>
/// A container's process is known by its id only after the runtime that began it has ended, and may have ended before: so while a start is
/// under way, the ends of processes that nobody knows are kept for it.
/// </remarks>
internal sealed class Children(TimeProvider time)
{
    private readonly Dictionary<int, TaskCompletionSource<int>> _commands = [];
    private readonly Dictionary<int, Action<ExitRecord>> _known = [];
    private readonly List<StartUnderWay> _starts = [];

    /// <summary>Ends with the exit code of a program that was just begun.</summary>
    /// <remarks>Ask before anything else is awaited, or its end may have been taken.</remarks>
    public Task<int> EndOf(int pid)
    {
        var end = new TaskCompletionSource<int>();
        _commands.Add(pid, end);
        return end.Task;
    }

    /// <summary>Keeps the ends of unknown processes from now on until it is disposed of.</summary>
    public StartUnderWay BeginStart()
    {
        var start = new StartUnderWay(this);
        _starts.Add(start);
        return start;
    }

    /// <summary>Has the end of a process told; where <paramref name="start"/> has seen it already, at once.</summary>
    public void Know(int pid, StartUnderWay start, Action<ExitRecord> ended)
    {
        if (start.Seen.Remove(pid, out var record))
        {
            ended(record);
        }
        else
        {
            _known[pid] = ended;
        }
    }

    /// <summary>Has the end of a process kept for the starts under way again, and not told.</summary>
    public void Unknow(int pid) => _known.Remove(pid);

    /// <summary>Takes the ends of all that have ended, then tells of them.</summary>
    public void Reap()
    {
        var ended = new List<ExitRecord>();
        while (ProcessCalls.TryReap() is { } child)
        {
            ended.Add(new ExitRecord(child.Pid, child.Code, time.GetUtcNow()));
        }

        // What nobody knows is kept first: when a runtime's end is told of, the end of the process that it began is there already.
        foreach (var record in ended.Where(IsUnknown))
        {
            Keep(record);
        }

        foreach (var record in ended.Where(record => !IsUnknown(record)).ToList())
        {
            if (_commands.Remove(record.Pid, out var command))
            {
                command.TrySetResult(record.Code);
            }
            else if (_known.Remove(record.Pid, out var tell))
            {
                tell(record);
            }
            else
            {
                // What was told of before this has begun a start.
                Keep(record);
            }
        }
    }

    private bool IsUnknown(ExitRecord record) => !_commands.ContainsKey(record.Pid) && !_known.ContainsKey(record.Pid);

    private void Keep(ExitRecord record) => _starts.ForEach(start => start.Seen[record.Pid] = record);

    /// <summary>A process that is about to be begun, or about to go on.</summary>
    internal sealed class StartUnderWay(Children children) : IDisposable
    {
        /// <summary>The ends of processes that nobody knew. The kernel's limit of ids is theirs.</summary>
        internal Dictionary<int, ExitRecord> Seen { get; } = [];

        /// <inheritdoc/>
        public void Dispose() => children._starts.Remove(this);
    }
}
