using System.Diagnostics;
using System.Globalization;
using ImageStore.StoreBench;

// Measures a store with rows in memory, as a daemon has them: ours through its library, containerd through its API. Prints a name and a value a line.
//   collect PEER               collects what nothing keeps, while somebody else makes one lease after the other
//   name PEER COUNT AT_ONCE    gives the image that is there so many further names
//   live SOCKET NAMESPACE TEMPLATE RUNTIME COUNT AT_ONCE    makes containers like that one, starts, stops and removes them
//   idle SOCKET NAMESPACE TEMPLATE RUNTIME COUNT            begins as many, waits for a line of input, and ends them
// where PEER is 'ours ROOT NAMESPACE IMAGE' or 'containerd SOCKET NAMESPACE IMAGE'.
const int Warm = 20;
if (args[0] is "live" or "idle")
{
    await using var daemon = new Containerd(args[1], args[2], string.Empty);
    var lives = new ContainerLives(daemon, args[3], args[4]);
    await lives.PrepareAsync();
    try
    {
        await (args[0] == "live" ? LiveAsync(lives, Number(5), Number(6)) : IdleAsync(lives, Number(5)));
        return 0;
    }
    catch (IOException failure)
    {
        Console.Error.WriteLine(failure.Message);
        return 1;
    }
}

var peer = await OpenAsync(args[1], args[2], args[3], args[4]);
await using var closing = peer.ConfigureAwait(false);
await (args[0] switch
{
    "collect" => CollectAsync(peer),
    "name" => NameAsync(peer, Number(5), Number(6)),
    _ => throw new ArgumentException($"There is no '{args[0]}'."),
});
return 0;

int Number(int at) => int.Parse(args[at], CultureInfo.InvariantCulture);

static async Task LiveAsync(ContainerLives lives, int count, int atOnce)
{
    var clock = Stopwatch.StartNew();
    await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (i, _) => await lives.LiveAsync($"live-{i}"));
    Print("seconds", clock.Elapsed.TotalSeconds);
    for (var part = 0; part < ContainerLives.Parts.Count; part++)
    {
        var sorted = lives.Lives.Select(life => life[part]).Order().ToList();
        Print(ContainerLives.Parts[part], sorted[sorted.Count / 2]);
    }
}

static async Task IdleAsync(ContainerLives lives, int count)
{
    List<double> begun = [];
    for (var i = 0; i < count; i++)
    {
        var clock = Stopwatch.StartNew();
        await lives.BeginAsync($"idle-{i}");
        begun.Add(clock.Elapsed.TotalMilliseconds);
    }

    Print("first", begun[0]);
    Print("last", begun[^1]);
    Print("ready", count);
    await Console.In.ReadLineAsync();
    for (var i = 0; i < count; i++)
    {
        await lives.EndAsync($"idle-{i}");
    }
}

static async Task<IPeer> OpenAsync(string kind, string place, string ns, string image) =>
    kind == "ours" ? await Ours.OpenAsync(place, ns, image) : new Containerd(place, ns, image);

static async Task CollectAsync(IPeer peer)
{
    var alone = await WriteAsync(peer, Task.Delay(TimeSpan.FromSeconds(2)));
    await peer.PrepareCollectionAsync();
    var clock = Stopwatch.StartNew();
    var collecting = Task.Run(peer.CollectAsync);
    var beside = await WriteAsync(peer, collecting);
    await collecting;
    Print("seconds", clock.Elapsed.TotalSeconds);
    Print("longest", beside[^1]);
    Print("median", beside[beside.Count / 2]);
    Print("commits", beside.Count);
    Print("alone_longest", alone[^1]);
    Print("alone_median", alone[alone.Count / 2]);
}

// The waits in ms, in order; the last one is over only after the work that they are beside, so that none is cut off.
static async Task<List<double>> WriteAsync(IPeer peer, Task until)
{
    List<double> waits = [];
    do
    {
        var id = $"writer-{Guid.NewGuid():N}";
        var started = Stopwatch.GetTimestamp();
        await peer.LeaseAsync(id);
        waits.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        await peer.UnleaseAsync(id);
    }
    while (!until.IsCompleted);
    waits.Sort();
    return waits;
}

static async Task NameAsync(IPeer peer, int count, int atOnce)
{
    // The first ones compile, connect and load.
    for (var i = 0; i < Warm; i++)
    {
        await peer.LeaseAsync($"warm-{i}");
        await peer.UnleaseAsync($"warm-{i}");
    }

    var clock = Stopwatch.StartNew();
    await Parallel.ForAsync(
        0, count, new ParallelOptions { MaxDegreeOfParallelism = atOnce },
        async (i, _) => await peer.NameAsync($"bench.example/{atOnce}/name:{i}"));
    Print("seconds", clock.Elapsed.TotalSeconds);
}

static void Print(string name, double value) => Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value:F4}"));
