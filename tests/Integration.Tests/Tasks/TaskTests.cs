namespace ImageStore.Integration.Tests.Tasks;

/// <summary><c>ctr tasks</c> with our shim.</summary>
public abstract class TaskTests(TaskNode node)
{
    [Fact]
    public async Task Task_FromItsBeginToItsEnd()
    {
        TaskNode.Need();
        await node.OkAsync([.. node.With("-d"), "life", "sleep", "1000"]);
        var exec = await node.TryAsync("tasks", "exec", "--exec-id", "one", "life", "sh", "-c", "echo out; echo err >&2; exit 3");
        Assert.Equal((3, "out\n"), (exec.ExitCode, exec.Output));
        Assert.Contains("err\n", exec.Error);

        await node.OkAsync("tasks", "exec", "-d", "--exec-id", "two", "life", "sleep", "1000");
        var pids = await node.OkAsync("tasks", "ps", "life");
        Assert.Contains((await node.PidOfAsync("life")).ToString(), pids);
        Assert.Contains("two", pids);
        await node.OkAsync("tasks", "kill", "-s", "KILL", "--exec-id", "two", "life");

        await node.OkAsync("tasks", "pause", "life");
        await node.WaitForAsync("life", "PAUSED");
        await node.OkAsync("tasks", "resume", "life");
        await node.WaitForAsync("life", "RUNNING");

        var metrics = await node.OkAsync("tasks", "metrics", "life");
        Assert.Contains("memory", metrics);
        Assert.Contains("pids.current", metrics);

        await node.OkAsync("tasks", "kill", "life");
        await Task.Delay(200);
        await node.WaitForAsync("life", "RUNNING");
        await node.RemoveAsync("life");
        await node.WaitForNoShimAsync("life");
    }

    [Fact]
    public async Task Exec_OfNoProgram_SaysWhy()
    {
        TaskNode.Need();
        await node.OkAsync([.. node.With("-d"), "exec-none", "sleep", "1000"]);
        var exec = await node.TryAsync("tasks", "exec", "--exec-id", "one", "exec-none", "/nonexistent");
        Assert.Equal(1, exec.ExitCode);
        Assert.Contains("/nonexistent", exec.Error);
        Assert.Equal("again\n", await node.OkAsync("tasks", "exec", "--exec-id", "one", "exec-none", "echo", "again"));
        await node.RemoveAsync("exec-none");
    }

    [Fact]
    public async Task Exec_ManyAtOnce_EachGivesItsCode()
    {
        TaskNode.Need();
        await node.OkAsync([.. node.With("-d"), "many", "sleep", "1000"]);
        var codes = await Task.WhenAll(Enumerable.Range(1, 12).Select(async code =>
            (await node.TryAsync("tasks", "exec", "--exec-id", $"x{code}", "many", "sh", "-c", $"exit {code}")).ExitCode));
        Assert.Equal(Enumerable.Range(1, 12), codes);
        await node.RemoveAsync("many");
    }

    [Fact]
    public async Task Delete_OfATaskThatRuns_IsRefused()
    {
        TaskNode.Need();
        await node.OkAsync([.. node.With("-d"), "busy", "sleep", "1000"]);
        Assert.NotEqual(0, (await node.TryAsync("tasks", "rm", "busy")).ExitCode);
        await node.WaitForAsync("busy", "RUNNING");
        await node.RemoveAsync("busy");
    }
}
