namespace ImageStore.Integration.Tests.Tasks;

/// <summary><c>ctr run</c> with our shim: output, exit codes and errors.</summary>
/// <remarks>ctr 1.6 stops reading when a program has ended, whatever is still to come: so programs that write wait a little at their end.</remarks>
public abstract class RunTests(TaskNode node)
{
    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 7", 7)]
    [InlineData("sh -c 'kill -9 $$'; exit $?", 137)]
    public async Task Run_EndsAsTheProgramDoes(string script, int code)
    {
        TaskNode.Need();
        var result = await node.TryAsync([.. node.With("--rm"), "codes", "sh", "-c", $"echo out; echo err >&2; sleep 0.5; {script}"]);
        Assert.Equal((code, "out\n"), (result.ExitCode, result.Output));
        Assert.Contains("err\n", result.Error);
    }

    [Fact]
    public async Task Run_ByTheShimsPath_IsTheSame()
    {
        TaskNode.Need();
        Assert.Equal("hello\n", await node.OkAsync("run", "--rm", "--runtime", node.Shim, TaskNode.Image, "by-path", "sh", "-c", "echo hello; sleep 0.5"));
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
        Assert.Empty(await node.ShimsOfAsync("no-program"));
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
        Assert.Equal("by crun\n", await node.OkAsync([.. node.With(["--rm", .. options]), "crun", "sh", "-c", "echo by crun; sleep 0.5"]));
        Assert.Equal(7, (await node.TryAsync([.. node.With(["--rm", .. options]), "crun", "sh", "-c", "exit 7"])).ExitCode);
        await node.OkAsync([.. node.With(["-d", .. options]), "crun", "sleep", "1000"]);
        var exec = await node.TryAsync("tasks", "exec", "--exec-id", "x", "crun", "sh", "-c", "echo inside; exit 5");
        Assert.Equal((5, "inside\n"), (exec.ExitCode, exec.Output));
        await node.RemoveAsync("crun");
    }
}
