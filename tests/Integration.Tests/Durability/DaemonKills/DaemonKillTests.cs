using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Courses;
using ImageStore.Integration.Tests.Durability.Kills;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.DaemonKills;

/// <summary>Kills the daemon while clients write and read, and starts it anew on what it left.</summary>
[Collection(RegistryGroup.Name)]
public sealed class DaemonKillTests(RegistryFixture registry, ITestOutputHelper output) : IDisposable
{
    private const int Kills = 8;
    private const int MaxDelayMilliseconds = 1500;

    private readonly Scratch _scratch = new();
    private readonly Tally _tally = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task Daemon_KilledUnderLoad_HasWhatItAcknowledged_AndTheNextTakesOver()
    {
        Run.NeedRoot();
        registry.Need();
        Run.Need("ctr");
        var images = await KillImages.MakeAsync(registry, _scratch.NewFolder("images"));
        var random = new Random(Settings.Seed);
        List<DaemonClient> clients = [.. StoreView.Namespaces.Select(ns => new DaemonClient(ns, images.Pullable, new Random(random.Next())))];
        var work = _scratch.NewFolder("daemon");
        for (var i = 0; i < (Settings.DaemonKills ?? Kills) && !Stop.IsCancellationRequested; i++)
        {
            await KillAsync(work, clients, TimeSpan.FromMilliseconds(random.Next(MaxDelayMilliseconds)));
        }

        await EndAsync(work, clients);
        output.WriteLine($"seed {Settings.Seed}");
        _tally.Tell(output);
    }

    /// <summary>One life of the daemon: a start, a look at what the one before left, load, and its end.</summary>
    private async Task KillAsync(string work, IReadOnlyList<DaemonClient> clients, TimeSpan delay)
    {
        await using var daemon = await Imagestored.StartAsync(work);
        await LookAsync(work, daemon.Socket, clients);
        using var over = new CancellationTokenSource();
        var reading = ReadAsync(daemon.Socket, over.Token);
        var writing = clients.Select(client => client.RunAsync(daemon.Socket)).ToList();
        await Task.WhenAny([Task.Delay(delay, Stop), .. writing]);
        var early = writing.Where(client => client.IsCompleted).ToList();
        foreach (var failed in early)
        {
            Fail(FindingKind.NotRepeatable, $"while the daemon lived: {await failed}");
        }

        daemon.Kill();
        await over.CancelAsync();
        foreach (var last in (await Task.WhenAll(writing)).Except(await Task.WhenAll(early)))
        {
            // ctr says what gRPC told it; a client that says nothing, or of a defect, would leave its user alone.
            if (!last.Contains("navailable", StringComparison.Ordinal) && !last.Contains("connection", StringComparison.Ordinal)
                && !last.Contains("EOF", StringComparison.Ordinal) && !last.Contains("context", StringComparison.Ordinal))
            {
                Fail(FindingKind.BadError, last);
            }
        }

        await reading;
        _tally.Count("kills");
        _tally.Count("commands that succeeded", clients.Sum(client => client.Succeeded));
    }

    private async Task LookAsync(string work, string socket, IReadOnlyList<DaemonClient> clients)
    {
        var root = Path.Combine(work, "root");
        var view = await StoreView.ReadNamesAsync(root, Stop);
        foreach (var ns in StoreView.Namespaces)
        {
            // KEY, PARENT where there is one, KIND.
            foreach (var words in (await Run.AsyncOk("ctr", "-a", socket, "-n", ns, "snapshots", "ls")).Split('\n').Skip(1)
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(words => words.Length is 2 or 3))
            {
                view.Snapshots[$"{ns} {words[0]}"] = (words[^1], words.Length == 3 ? words[1] : null);
            }
        }

        HashSet<string> snapshots = [];
        var expected = new Expectations { Snapshots = snapshots };
        foreach (var client in clients)
        {
            client.Expect(expected, snapshots);
        }

        // What a pull that died had leased stays until that lease ends; nobody was told of it.
        foreach (var key in view.Leases.Where(lease => lease.Value.Labels.ContainsKey(StoreView.ExpiryLabel)).Select(lease => lease.Key).ToList())
        {
            view.Leases.Remove(key);
        }

        var rows = view.Rows();
        List<Finding> findings = [.. new StoreCheck(view, Path.Combine(root, "content/blobs/sha256"), expected).Run()];
        await using var boot = await Boot.SameAsync(_scratch, Account.Self);
        findings.AddRange(await SecondOpinion.OfAsync(new StoreCli(root, boot), removedBlobs: false));
        if (findings.Count > 0)
        {
            _tally.Fail(findings, () => $"after kill {_tally.Of("kills")}, seed {Settings.Seed}");
        }

        foreach (var client in clients)
        {
            client.Settle(rows);
        }
    }

    /// <summary>The last daemon stops when it is asked to, and everything can be collected.</summary>
    private async Task EndAsync(string work, IReadOnlyList<DaemonClient> clients)
    {
        await using (var daemon = await Imagestored.StartAsync(work))
        {
            await LookAsync(work, daemon.Socket, clients);
            Assert.Equal(0, await daemon.StopAsync());
        }

        await using var boot = await Boot.SameAsync(_scratch, Account.Self);
        var cli = new StoreCli(Path.Combine(work, "root"), boot);
        foreach (var ns in StoreView.Namespaces)
        {
            foreach (var lease in (await cli.JsonAsync(ns, "lease", "ls")).EnumerateArray())
            {
                await Cleaning.OkAsync(cli, ns, ["lease", "rm", lease.GetProperty("lease").GetProperty("id").GetString()!]);
            }
        }

        // Whoever opens a snapshotter takes away what a dead process had begun to try there.
        foreach (var snapshotter in (string[])["overlayfs", "native", "erofs"])
        {
            await cli.JsonAsync(StoreView.Namespaces[0], "snapshots", "ls", "--snapshotter", snapshotter);
        }

        var view = await Cleaning.CollectAsync(cli, await StoreView.ReadAsync(cli, Stop), Stop);
        List<Finding> findings = [.. Leftovers.Of(cli, view, ingests: false)];
        await Cleaning.OkAsync(cli, StoreView.Namespaces[0], ["fsck"]);
        if (findings.Count > 0)
        {
            _tally.Fail(findings, () => $"at the end, seed {Settings.Seed}");
        }
    }

    private static async Task ReadAsync(string socket, CancellationToken over)
    {
        string[][] reads = [["images", "ls"], ["content", "ls"], ["snapshots", "ls"], ["leases", "ls"], ["plugins", "ls"]];
        for (var i = 0; !over.IsCancellationRequested; i++)
        {
            await Run.TryAsync("ctr", ["-a", socket, "--timeout", "20s", "--connect-timeout", "5s", "-n", StoreView.Namespaces[i % 2], .. reads[i % reads.Length]]);
        }
    }

    private void Fail(FindingKind kind, string text) =>
        _tally.Fail([new Finding(kind, text)], () => $"after kill {_tally.Of("kills")}, seed {Settings.Seed}");
}
