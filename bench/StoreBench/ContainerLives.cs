using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;

namespace ImageStore.StoreBench;

/// <summary>Makes, starts, stops and removes containers by a daemon's API, as its clients do, and measures each part.</summary>
/// <remarks>They are copies of one that is there: its image's snapshot, its specification and its runtime, under other ids.</remarks>
internal sealed class ContainerLives(Containerd daemon, string template, string runtime)
{
    private const string Snapshotter = "overlayfs";
    private const int KillSignal = 9;

    private readonly ConcurrentBag<double[]> _lives = [];
    private byte[] _spec = [];
    private string _parent = string.Empty;

    /// <summary>The parts of a life, as they are printed.</summary>
    public static IReadOnlyList<string> Parts { get; } = ["create", "start", "stop", "remove"];

    /// <summary>Milliseconds of each part of each life.</summary>
    public IReadOnlyCollection<double[]> Lives => _lives;

    /// <summary>Reads what all are copies of.</summary>
    public async Task PrepareAsync()
    {
        var container = Protobuf.Part(await daemon.CallAsync("containers.v1.Containers/Get", new Protobuf().Text(1, template)), 1).ToArray();
        _spec = Protobuf.Part(container, 5).ToArray();
        var key = Encoding.UTF8.GetString(Protobuf.Part(container, 7));
        var snapshot = Protobuf.Part(await daemon.CallAsync("snapshots.v1.Snapshots/Stat", new Protobuf().Text(1, Snapshotter).Text(2, key)), 1).ToArray();
        _parent = Encoding.UTF8.GetString(Protobuf.Part(snapshot, 2));
    }

    /// <summary>One life.</summary>
    public async Task LiveAsync(string id)
    {
        var clock = Stopwatch.StartNew();
        List<double> parts = [];
        await CreateAsync(id);
        parts.Add(clock.Elapsed.TotalMilliseconds);
        await daemon.CallAsync("tasks.v1.Tasks/Start", new Protobuf().Text(1, id));
        parts.Add(clock.Elapsed.TotalMilliseconds);
        var ended = daemon.CallAsync("tasks.v1.Tasks/Wait", new Protobuf().Text(1, id));
        await daemon.CallAsync("tasks.v1.Tasks/Kill", new Protobuf().Text(1, id).Number(3, KillSignal));
        await ended;
        parts.Add(clock.Elapsed.TotalMilliseconds);
        await RemoveAsync(id);
        parts.Add(clock.Elapsed.TotalMilliseconds);
        _lives.Add([.. parts.Select((end, i) => i == 0 ? end : end - parts[i - 1])]);
    }

    /// <summary>Begins one that runs until it is removed.</summary>
    public async Task BeginAsync(string id)
    {
        await CreateAsync(id);
        await daemon.CallAsync("tasks.v1.Tasks/Start", new Protobuf().Text(1, id));
    }

    /// <summary>Ends one that was begun.</summary>
    public async Task EndAsync(string id)
    {
        var ended = daemon.CallAsync("tasks.v1.Tasks/Wait", new Protobuf().Text(1, id));
        await daemon.CallAsync("tasks.v1.Tasks/Kill", new Protobuf().Text(1, id).Number(3, KillSignal));
        await ended;
        await RemoveAsync(id);
    }

    private async Task CreateAsync(string id)
    {
        // The answer is the mounts in field 1, where the task's request has them in field 3.
        // Until there is a container, nothing else keeps the snapshot from a collection.
        var label = new Protobuf().Text(1, "containerd.io/gc.root").Text(2, "1");
        var mounts = await daemon.CallAsync(
            "snapshots.v1.Snapshots/Prepare", new Protobuf().Text(1, Snapshotter).Text(2, id).Text(3, _parent).Part(4, label));
        var container = new Protobuf().Text(1, id).Part(4, new Protobuf().Text(1, runtime)).Block(5, SpecOf(id)).Text(6, Snapshotter).Text(7, id);
        await daemon.CallAsync("containers.v1.Containers/Create", new Protobuf().Part(1, container));
        var task = new Protobuf().Text(1, id);
        foreach (var mount in Protobuf.Parts(mounts, 1))
        {
            task.Block(3, mount);
        }

        await daemon.CallAsync("tasks.v1.Tasks/Create", task);
    }

    private async Task RemoveAsync(string id)
    {
        await daemon.CallAsync("tasks.v1.Tasks/Delete", new Protobuf().Text(1, id));
        await daemon.CallAsync("snapshots.v1.Snapshots/Remove", new Protobuf().Text(1, Snapshotter).Text(2, id));
        await daemon.CallAsync("containers.v1.Containers/Delete", new Protobuf().Text(1, id));
    }

    // The cgroup has the id in its path.
    private byte[] SpecOf(string id) => new Protobuf()
        .Block(1, Protobuf.Part(_spec, 1))
        .Text(2, Encoding.UTF8.GetString(Protobuf.Part(_spec, 2)).Replace($"/{template}\"", $"/{id}\"", StringComparison.Ordinal))
        .Bytes.ToArray();
}
