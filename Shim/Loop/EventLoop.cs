using ImageStore.Shim.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Loop;

/// <summary>Runs everything on one thread: what waits for a descriptor or for time goes on from here.</summary>
/// <remarks>
/// Tasks are ended by the loop alone, and what awaits them goes on at once on its thread: so nothing in the shim needs a lock, and no
/// second thread ever begins (docs/adr/0010). What would have others end a task, such as a semaphore, has no place here.
/// </remarks>
internal sealed class EventLoop : IDisposable
{
    private const int EventsAtOnce = 32;
    private const int Forever = -1;

    private readonly SafeFileHandle _epoll = Epoll.Create();
    private readonly Dictionary<ulong, Watch> _watches = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly byte[] _events = new byte[EventsAtOnce * Epoll.EventSize];
    private List<TaskCompletionSource> _turn = [];
    private ulong _lastName;

    public EventLoop() => Time = new LoopTime(this);

    /// <summary>The clock whose timers run here.</summary>
    public LoopTime Time { get; }

    /// <summary>Takes a descriptor, and has it not block.</summary>
    public Watch Add(SafeFileHandle file)
    {
        Check();
        Descriptors.SetNonBlocking(file);
        var name = ++_lastName;
        var isAlwaysReady = !Epoll.TryAdd(_epoll, file, name);
        var watch = new Watch(this, file, name, isAlwaysReady);
        if (!isAlwaysReady)
        {
            _watches.Add(name, watch);
        }

        return watch;
    }

    /// <summary>Ends when all else that is ready has had its turn.</summary>
    public Task TurnAsync()
    {
        var turn = new TaskCompletionSource();
        _turn.Add(turn);
        return turn.Task;
    }

    /// <summary>Runs until a task has ended, and throws what it threw.</summary>
    public void Run(Task task)
    {
        while (!task.IsCompleted)
        {
            Step();
        }

        task.GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public void Dispose() => _epoll.Dispose();

    internal void Check()
    {
        if (Environment.CurrentManagedThreadId != _thread)
        {
            Environment.FailFast("The shim has left its thread.");
        }
    }

    internal void Forget(ulong name, SafeFileHandle file, bool isAlwaysReady)
    {
        if (!isAlwaysReady)
        {
            _watches.Remove(name);
            Epoll.Remove(_epoll, file);
        }
    }

    private void Step()
    {
        var wait = _turn.Count > 0 ? 0 : Time.Next() is { } next ? (int)Math.Min(next, int.MaxValue) : Forever;
        var count = Epoll.Wait(_epoll, _events, wait);
        for (var i = 0; i < count; i++)
        {
            // One that an earlier event has closed is not told of what its descriptor's next owner has.
            var (what, name) = Epoll.EventAt(_events, i);
            if (_watches.TryGetValue(name, out var watch))
            {
                watch.Tell(what);
            }
        }

        Time.RunDue();
        if (_turn.Count > 0)
        {
            var turn = _turn;
            _turn = [];
            turn.ForEach(source => source.TrySetResult());
        }
    }
}
