using System.Diagnostics;
using ImageStore.Integration.Tests.Durability;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Tasks;

/// <summary>The daemon, shims and runc are killed at random moments; then ends are still right, and nothing is left.</summary>
public sealed class TaskKillTests(ITestOutputHelper output)
{
    private const int UsualKills = 12;
    private const int AtOnce = 3;
    private const int LongestWait = 500;

    private static readonly string[] s_victims = ["daemon", "shim", "runc"];

    private readonly Random _random = new(Settings.Seed);

    [Fact]
    public async Task Containers_WhoseKeepersAreKilled_EndAsTheyDo_AndLeaveNothing()
    {
        TaskNode.Need();
        output.WriteLine($"seed {Settings.Seed}");
        var node = new DaemonWithOurShim.Node();
        await node.InitializeAsync();
        try
        {
            var (kills, told) = (0, 0);
            for (var round = 0; kills < (Settings.TaskKills ?? UsualKills); round++)
            {
                var victim = s_victims[round % s_victims.Length];
                var (isKilled, ends) = await RoundAsync(node, round, victim);
                kills += isKilled ? 1 : 0;
                told += ends;
            }

            output.WriteLine($"figure kills: {kills}\nfigure ends that were told: {told}");
        }
        finally
        {
            // It looks for what is left, after the next start's clean-up.
            await node.KillAsync();
            await node.StartAsync();
            await node.DisposeAsync();
        }
    }

    private async Task<(bool IsKilled, int Ends)> RoundAsync(TaskNode node, int round, string victim)
    {
        var ids = Enumerable.Range(0, AtOnce).Select(i => $"k{round}-{i}").ToList();
        var begun = ids.Select((id, i) => node.TryAsync([.. node.With("-d"), id, "sh", "-c", $"sleep 0.{_random.Next(10)}; exit {i + 1}"])).ToList();
        await Task.Delay(_random.Next(LongestWait));
        var killed = await KillAsync(node, victim, ids);
        var results = await Task.WhenAll(begun);
        if (victim == "daemon")
        {
            await node.StartAsync();
        }

        var ends = 0;
        for (var i = 0; i < ids.Count; i++)
        {
            // Of a container whose runc or shim was killed, nobody promises how it ends; only that it can be told and removed.
            var isSpared = results[i].ExitCode == 0 && killed != ids[i] && victim != "runc";
            ends += await EndAsync(node, ids[i], i + 1, isSpared);
        }

        return (killed is not null, ends);
    }

    /// <summary>Removes a container, and looks whether it ended as its program did.</summary>
    private static async Task<int> EndAsync(TaskNode node, string id, int code, bool isSpared)
    {
        if (isSpared)
        {
            await node.WaitForAsync(id, "STOPPED");
            Assert.Contains($"exit code {code}", (await node.TryAsync("tasks", "rm", id)).Error);
        }
        else
        {
            await node.TryAsync("tasks", "kill", "-s", "KILL", id);
            for (var until = Stopwatch.StartNew(); until.Elapsed < TimeSpan.FromSeconds(20) && await IsThereAsync(node, id); await Task.Delay(50))
            {
                await node.TryAsync("tasks", "rm", "-f", id);
            }

            Assert.False(await IsThereAsync(node, id), $"the task {id} cannot be removed: {(await node.TryAsync("tasks", "rm", "-f", id)).Error}");
        }

        await node.TryAsync("containers", "rm", id);
        return isSpared ? 1 : 0;
    }

    private static async Task<bool> IsThereAsync(TaskNode node, string id) =>
        (await node.OkAsync("tasks", "ls", "-q")).Split('\n').Contains(id);

    /// <summary>Kills it; gives whose it was, or an empty text where it was everybody's, or null where there was none.</summary>
    private async Task<string?> KillAsync(TaskNode node, string victim, List<string> ids)
    {
        switch (victim)
        {
            case "daemon":
                await node.KillAsync();
                return string.Empty;
            case "shim":
                foreach (var id in ids.OrderBy(_ => _random.Next()))
                {
                    if ((await node.ShimsOfAsync(id)).FirstOrDefault() is > 0 and var shim)
                    {
                        return (await Run.TryAsync("kill", ["-9", $"{shim}"])).ExitCode == 0 ? id : null;
                    }
                }

                return null;
            default:
                for (var until = Stopwatch.StartNew(); until.Elapsed < TimeSpan.FromMilliseconds(LongestWait);)
                {
                    if ((await node.RuntimesAsync()).FirstOrDefault() is > 0 and var runc)
                    {
                        return (await Run.TryAsync("kill", ["-9", $"{runc}"])).ExitCode == 0 ? string.Empty : null;
                    }
                }

                return null;
        }
    }
}
