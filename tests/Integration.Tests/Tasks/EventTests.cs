namespace ImageStore.Integration.Tests.Tasks;

/// <summary>What containerd is told, and in which order.</summary>
public abstract class EventTests(TaskNode node)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Events_OfALife_AreInOrder()
    {
        TaskNode.Need();
        var topics = await TopicsAsync("events-life", async () =>
        {
            await node.OkAsync([.. node.With("-d"), "events-life", "sleep", "1000"]);
            await node.OkAsync("tasks", "exec", "--exec-id", "x", "events-life", "true");
            await node.OkAsync("tasks", "pause", "events-life");
            await node.OkAsync("tasks", "resume", "events-life");
            await node.RemoveAsync("events-life");
        });
        Assert.Equal(
            ["create", "start", "exec-added", "exec-started", "exit", "paused", "resumed", "exit", "delete"], topics.Select(topic => topic["/tasks/".Length..]));
    }

    [Fact]
    public async Task Events_OfAProgramThatEndsAtOnce_HaveItsStartBeforeItsEnd()
    {
        TaskNode.Need();
        for (var round = 0; round < 10; round++)
        {
            var topics = await TopicsAsync($"brief{round}", () => node.OkAsync([.. node.With("--rm"), $"brief{round}", "true"]));
            Assert.Equal(["/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"], topics);
        }
    }

    [Fact]
    public async Task Events_OfMemoryThatRunsOut_TellOfIt()
    {
        TaskNode.Need();
        if ((await File.ReadAllLinesAsync("/proc/swaps")).Length > 1 && !File.Exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"))
        {
            Assert.Skip("this machine swaps, and does not count it: memory does not run out");
        }

        var code = 0;
        var topics = await TopicsAsync(
            "memory",
            async () => code = (await node.TryAsync([.. node.With("--rm", "--memory-limit", "20000000"), "memory", "sh", "-c", "x=a; while true; do x=$x$x; done"])).ExitCode);
        Assert.Equal(137, code);
        Assert.Contains("/tasks/oom", topics);
        Assert.Equal("/tasks/delete", topics[^1]);
    }

    /// <summary>The topics of a container's tasks while something is done, to the deletion of its task.</summary>
    private async Task<List<string>> TopicsAsync(string id, Func<Task> act)
    {
        using var listener = node.Start("events");
        try
        {
            using var limit = new CancellationTokenSource(s_patience);

            // It says nothing before something happens, so that it is waited for by making something happen.
            var first = listener.StandardOutput.ReadLineAsync(limit.Token).AsTask();
            for (var i = 0; !first.IsCompleted; i++)
            {
                await node.OkAsync("namespaces", "create", $"wait-{id}-{i}");
                await Task.WhenAny(first, Task.Delay(100, limit.Token));
                limit.Token.ThrowIfCancellationRequested();
            }

            await act();
            List<string> topics = [];
            while (topics.Count == 0 || topics[^1] != "/tasks/delete")
            {
                var line = await listener.StandardOutput.ReadLineAsync(limit.Token) ?? throw new InvalidOperationException("ctr events ended");
                if (line.Contains($"\"container_id\":\"{id}\"", StringComparison.Ordinal))
                {
                    topics.Add(line.Split(' ').First(word => word.StartsWith("/tasks/", StringComparison.Ordinal)));
                }
            }

            return topics;
        }
        finally
        {
            listener.Kill();
        }
    }
}
