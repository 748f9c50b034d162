using System.Collections.Concurrent;
using Google.Protobuf;
using ImageStore.Runtime.Shims;
using ImageStore.Runtime.Tasks;
using ImageStore.Runtime.Tests.Support;

namespace ImageStore.Runtime.Tests.Tasks;

/// <summary>Tasks of a shim whose faults are chosen, and what is told of them.</summary>
public abstract class TaskTest : IAsyncDisposable
{
    private readonly BlockingCollection<(string Namespace, string Topic, IMessage Event)> _events = [];
    private readonly List<TaskManager> _managers = [];

    private protected static TimeSpan Patience { get; } = TimeSpan.FromSeconds(20);

    private protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    private protected Folder State { get; } = new();

    private protected FakeShim Shim { get; } = new();

    private protected ConcurrentQueue<string> Told { get; } = [];

    private protected string Bundle => State.In("ns/id");

    private protected bool HasEvents => _events.Count > 0;

    public async ValueTask DisposeAsync()
    {
        foreach (var manager in _managers)
        {
            await manager.DisposeAsync();
        }

        Shim.Dispose();
        State.Dispose();
        _events.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected TaskManager Manager()
    {
        var manager = new TaskManager(
            State.Path, new ShimCaller("/run/sock", "/run/sock.ttrpc"), (tenant, topic, happened) => _events.Add((tenant, topic, happened), Ct), Told.Enqueue, TimeProvider.System);
        _managers.Add(manager);
        return manager;
    }

    private protected TaskCreation Creation() => new() { Namespace = "ns", Id = "id", Runtime = Shim.Program, Spec = "{}"u8.ToArray() };

    private protected IMessage Next(string topic)
    {
        Assert.True(_events.TryTake(out var found, Patience), $"{topic} does not come: {string.Join("; ", Told)}");
        Assert.Equal(("ns", topic), (found.Namespace, found.Topic));
        return found.Event;
    }
}
