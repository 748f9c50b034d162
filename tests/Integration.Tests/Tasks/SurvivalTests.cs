namespace ImageStore.Integration.Tests.Tasks;

/// <summary>Who outlives whom.</summary>
public abstract class SurvivalTests(TaskNode node)
{
    [Fact]
    public async Task Containerd_KilledAndStarted_FindsTheTaskAndHowItEnded()
    {
        TaskNode.Need();
        await node.OkAsync([.. node.With("-d"), "outlives", "sh", "-c", "sleep 4; exit 9"]);
        await node.OkAsync([.. node.With("-d"), "meanwhile", "sh", "-c", "sleep 0.5; exit 8"]);
        var pid = await node.PidOfAsync("outlives");
        await node.KillAsync();
        await Task.Delay(1000);
        await node.StartAsync();
        Assert.Equal(pid, await node.PidOfAsync("outlives"));
        await node.WaitForAsync("meanwhile", "STOPPED");
        await node.WaitForAsync("outlives", "STOPPED");
        Assert.Contains("exit code 8", (await node.TryAsync("tasks", "rm", "meanwhile")).Error);
        Assert.Contains("exit code 9", (await node.TryAsync("tasks", "rm", "outlives")).Error);
        await node.OkAsync("containers", "rm", "outlives", "meanwhile");
    }

    [Fact]
    public async Task Shim_Killed_LeavesNothing()
    {
        TaskNode.Need();
        await node.OkAsync([.. node.With("-d"), "orphan", "sleep", "1000"]);
        var pid = await node.PidOfAsync("orphan");
        var shim = Assert.Single(await node.ShimsOfAsync("orphan"));
        await Support.Run.AsyncOk("kill", "-9", shim.ToString());
        await node.WaitForAsync("orphan", string.Empty);
        for (var attempt = 0; attempt < 100 && Directory.Exists($"/proc/{pid}"); attempt++)
        {
            await Task.Delay(50);
        }

        Assert.False(Directory.Exists($"/proc/{pid}"), "its process is left");
        await node.OkAsync("containers", "rm", "orphan");
    }

    [Fact]
    public async Task Init_Ended_TakesWhatSharesItsPidsAlong()
    {
        TaskNode.Need();
        if (!(await node.TryAsync("run", "--help")).Output.Contains("--with-ns", StringComparison.Ordinal))
        {
            Assert.Skip("this ctr joins no namespaces");
        }

        await node.OkAsync([.. node.With("-d"), "owns", "sleep", "1000"]);
        // Others run this test beside: each has a number of its own.
        var length = Random.Shared.Next(100_000, 1_000_000);
        var pids = $"pid:/proc/{await node.PidOfAsync("owns")}/ns/pid";
        await node.OkAsync([.. node.With("-d", "--with-ns", pids), "shares", "sh", "-c", $"sleep {length} & sleep 1; exit 6"]);
        await node.WaitForAsync("shares", "STOPPED");
        Assert.DoesNotContain($"sleep {length}", await Support.Run.AsyncOk("ps", "-eo", "args"));
        Assert.Contains("exit code 6", (await node.TryAsync("tasks", "rm", "shares")).Error);
        await node.OkAsync("containers", "rm", "shares");
        await node.RemoveAsync("owns");
    }
}
