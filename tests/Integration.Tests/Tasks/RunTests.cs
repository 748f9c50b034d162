namespace ImageStore.Integration.Tests.Tasks;

/// <summary><c>ctr run</c> with our shim: output, exit codes and errors.</summary>
public abstract class RunTests(TaskNode node)
{
    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 7", 7)]
    [InlineData("sh -c 'kill -9 $$'; exit $?", 137)]
    public async Task Run_EndsAsTheProgramDoes(string script, int code)
    {
        TaskNode.Need();
        var running = node.Start([.. node.With("--rm"), "codes", "sh", "-c", $"echo out; echo err >&2; read x; {script}"]);
        var result = await WaitingProgram.ReadAsync(running, "out\n".Length, "err\n".Length);
        Assert.Equal((code, "out\n"), (result.ExitCode, result.Output));
        Assert.Contains("err\n", result.Error);
    }

    [Fact]
    public async Task Run_ByTheShimsPath_IsTheSame()
    {
        TaskNode.Need();
        var running = node.Start("run", "--rm", "--runtime", node.Shim, TaskNode.Image, "by-path", "sh", "-c", "echo hello; read x; exit 0");
        var result = await WaitingProgram.ReadAsync(running, "hello\n".Length, 0);
        Assert.Equal((0, "hello\n"), (result.ExitCode, result.Output));
    }

    [Fact]
    public async Task Run_KilledFromOutside_TellsTheSignal()
    {
        TaskNode.Need();
        using var running = node.Start([.. node.With("--rm"), "killed", "sleep", "1000"]);
        await node.WaitForAsync("killed", "RUNNING");
        await node.OkAsync("tasks", "kill", "-s", "KILL", "killed");
        await running.WaitForExitAsync();
        Assert.Equal(137, running.ExitCode);
        await node.WaitForAsync("killed", string.Empty);
    }

    [Fact]
    public async Task Run_OfNoProgram_SaysWhatTheRuntimeSaid()
    {
        TaskNode.Need();
        var result = await node.TryAsync([.. node.With("--rm"), "no-program", "/nonexistent"]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("stat /nonexistent: no such file or directory", result.Error);
        await node.WaitForNoShimAsync("no-program");
    }

    [Fact]
    public async Task Run_OfTwo_AreApart()
    {
        TaskNode.Need();
        await node.OkAsync([.. node.With("-d"), "first", "sleep", "1000"]);
        await node.OkAsync([.. node.With("-d"), "second", "sleep", "1000"]);
        Assert.NotEqual(await node.ShimsOfAsync("first"), await node.ShimsOfAsync("second"));
        await node.RemoveAsync("first");
        await node.WaitForAsync("second", "RUNNING");
        await node.RemoveAsync("second");
    }

    [Fact]
    public async Task Run_OfOneGroup_ShareAShim()
    {
        TaskNode.Need();
        string[] group = ["-d", "--annotation", "io.containerd.runc.v2.group=pod"];
        if (!(await node.TryAsync("run", "--help")).Output.Contains("--annotation", StringComparison.Ordinal))
        {
            Assert.Skip("this ctr sets no annotations");
        }

        await node.OkAsync([.. node.With(group), "pod-one", "sleep", "1000"]);
        await node.OkAsync([.. node.With(group), "pod-two", "sleep", "1000"]);
        Assert.Single(await node.ShimsOfAsync("pod-one"));
        Assert.Empty(await node.ShimsOfAsync("pod-two"));
        await node.RemoveAsync("pod-one");
        await node.WaitForAsync("pod-two", "RUNNING");
        Assert.Equal("still\n", await node.OkAsync("tasks", "exec", "--exec-id", "x", "pod-two", "echo", "still"));
        await node.RemoveAsync("pod-two");
    }

    [Fact]
    public async Task Run_WithCrun_IsTheSame()
    {
        TaskNode.Need();
        Support.Run.Need("crun", "unshare");

        // crun refuses a machine that has both versions of cgroups mounted, as this one may: it sees one of them.
        var crun = Path.Combine(node.Work, "crun");
        await File.WriteAllTextAsync(crun, """
            #!/bin/sh
            exec unshare --mount sh -c 'umount /sys/fs/cgroup/unified 2>/dev/null; exec crun "$@"' crun "$@"
            """);
        File.SetUnixFileMode(crun, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var config = Path.Combine(node.Work, "crun.toml");
        await File.WriteAllTextAsync(config, $"BinaryName = \"{crun}\"\n");
        string[] options = ["--runtime-config-path", config];
        var running = node.Start([.. node.With(["--rm", .. options]), "crun", "sh", "-c", "echo by crun; read x; exit 0"]);
        Assert.Equal("by crun\n", (await WaitingProgram.ReadAsync(running, "by crun\n".Length, 0)).Output);
        Assert.Equal(7, (await node.TryAsync([.. node.With(["--rm", .. options]), "crun", "sh", "-c", "exit 7"])).ExitCode);
        await node.OkAsync([.. node.With(["-d", .. options]), "crun", "sleep", "1000"]);
        var exec = await node.TryAsync("tasks", "exec", "--exec-id", "x", "crun", "sh", "-c", "echo inside; exit 5");
        Assert.Equal((5, "inside\n"), (exec.ExitCode, exec.Output));
        await node.RemoveAsync("crun");
    }
}
