using System.Diagnostics;
using System.Globalization;
using ImageStore.Gc;
using ImageStore.Store;
using ImageStore.Store.Leases;
using ImageStore.Store.Resources;

// Collects in a root, whose rows are in memory as a daemon has them, while somebody else commits all the time, and tells how long the longest commit waited.
//   gc ROOT          prints: seconds, removed rows, the longest and the median commit in ms, beside it and without it
var root = await StoreRoot.OpenAsync(args[0], new StoreOptions(), CancellationToken.None);
await using var closing = root.ConfigureAwait(false);
var leases = root.Leases(root.Namespaces.List()[0].Name);
var alone = await WriteAsync(leases, Task.Delay(TimeSpan.FromSeconds(2)));
using var collector = new Collector(root, TimeProvider.System);
await collector.PlanAsync(CancellationToken.None);
var clock = Stopwatch.StartNew();
var collecting = Task.Run(() => collector.CollectAsync(CancellationToken.None));
var beside = await WriteAsync(leases, collecting);
var report = await collecting;
Console.Out.WriteLine(string.Create(
    CultureInfo.InvariantCulture,
    $"{clock.Elapsed.TotalSeconds:F3} {report.Count(ResourceKind.Content)} {beside[^1]:F2} {beside[beside.Count / 2]:F2} {alone[^1]:F2} {alone[alone.Count / 2]:F2}"));

static async Task<List<double>> WriteAsync(LeaseManager leases, Task until)
{
    List<double> waits = [];
    for (var i = 0; !until.IsCompleted; i++)
    {
        var started = Stopwatch.GetTimestamp();
        var lease = await leases.CreateAsync($"writer-{Guid.NewGuid():N}", TimeSpan.FromHours(1), Labels.None, CancellationToken.None);
        waits.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        await leases.DeleteAsync(lease.Id, CancellationToken.None);
    }

    waits.Sort();
    return waits;
}
