using System.Diagnostics;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Tasks;

/// <summary>What goes into containers and comes out of them.</summary>
public abstract class StdioTests(TaskNode node)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Input_ReachesTheProgramAndEnds()
    {
        TaskNode.Need();
        using var running = node.Start([.. node.With("--rm"), "input", "sh", "-c", "cat; echo end"]);
        await node.WaitForAsync("input", "RUNNING");
        await running.StandardInput.WriteAsync("a line\n");
        running.StandardInput.Close();
        Assert.Equal("a line\nend\n", await running.StandardOutput.ReadToEndAsync().WaitAsync(s_patience));
        await running.WaitForExitAsync();
        Assert.Equal(0, running.ExitCode);
    }

    [Fact]
    public async Task Output_OfManyBytes_ComesWhole()
    {
        TaskNode.Need();
        var running = node.Start([.. node.With("--rm"), "large", "sh", "-c", "dd if=/dev/zero bs=65536 count=400; read x"]);
        var result = await WaitingProgram.ReadAsync(running, 400 * 65536, 0);
        Assert.Equal(400 * 65536, result.Output.Length);
    }

    [Fact]
    public async Task Terminal_IsOne()
    {
        TaskNode.Need();
        Run.Need("script");
        var command = node.CommandLine([.. node.With("--rm", "-t"), "terminal", "sh", "-c", "'tty; echo ready; read x; echo got $x; exit 4'"]);
        using var running = Run.Start("script", ["-qefc", command, "/dev/null"]);
        var seen = await ReadUntilAsync(running.StandardOutput, "ready");
        Assert.Contains("/dev/pts/0\r", seen);
        await running.StandardInput.WriteAsync("typed\r");
        await running.StandardInput.FlushAsync();
        await ReadUntilAsync(running.StandardOutput, "got typed");
        await running.WaitForExitAsync().WaitAsync(s_patience);
        Assert.Equal(4, running.ExitCode);
    }

    [Fact]
    public async Task LogFile_HasBothOutputs()
    {
        TaskNode.Need();
        var log = Path.Combine(node.Work, "logs/one.log");
        await node.OkAsync([.. node.With("-d", "--log-uri", $"file://{log}"), "log-file", "sh", "-c", "echo out; echo err >&2"]);
        await node.WaitForAsync("log-file", "STOPPED");
        await node.OkAsync("tasks", "rm", "log-file");
        Assert.Equal(["err", "out"], (await File.ReadAllLinesAsync(log)).Order());
        await node.OkAsync("containers", "rm", "log-file");
    }

    [Fact]
    public async Task Logger_TakesTheOutputAndKnowsWhose()
    {
        TaskNode.Need();
        var (log, logger) = (Path.Combine(node.Work, "logger.out"), Path.Combine(node.Work, "logger"));
        await File.WriteAllTextAsync(logger, $"""
            #!/bin/sh
            echo "$CONTAINER_ID $*" > {log}
            exec 5>&-
            cat <&3 >> {log}
            echo done >> {log}
            """);
        File.SetUnixFileMode(logger, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await node.OkAsync([.. node.With("-d", "--log-uri", $"binary://{logger}?key=value"), "logger", "sh", "-c", "echo out"]);
        await node.WaitForAsync("logger", "STOPPED");
        await node.OkAsync("tasks", "rm", "logger");
        await node.OkAsync("containers", "rm", "logger");

        // containerd's shim kills its loggers when it ends.
        var whole = $"logger key value\nout\n{(node.IsOurShim ? "done\n" : string.Empty)}";
        for (var until = Stopwatch.StartNew(); until.Elapsed < s_patience && !(await File.ReadAllTextAsync(log)).StartsWith(whole, StringComparison.Ordinal); await Task.Delay(50))
        {
        }

        Assert.StartsWith(whole, await File.ReadAllTextAsync(log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Attach_ToATaskThatWrites_ShowsIt()
    {
        TaskNode.Need();
        await node.OkAsync([.. node.With("-d"), "attached", "sh", "-c", "while true; do echo tick; sleep 0.1; done"]);
        using var attached = node.Start("tasks", "attach", "attached");
        await ReadUntilAsync(attached.StandardOutput, "tick\ntick\n");
        await node.OkAsync("tasks", "kill", "-s", "KILL", "attached");
        await attached.StandardOutput.ReadToEndAsync().WaitAsync(s_patience);
        await attached.WaitForExitAsync().WaitAsync(s_patience);
        await node.TryAsync("tasks", "rm", "attached");
        await node.OkAsync("containers", "rm", "attached");
    }

    private static async Task<string> ReadUntilAsync(StreamReader reader, string text)
    {
        using var limit = new CancellationTokenSource(s_patience);
        var seen = string.Empty;
        var piece = new char[256];
        while (!seen.Contains(text, StringComparison.Ordinal))
        {
            var count = await reader.ReadAsync(piece, limit.Token);
            Assert.True(count > 0, $"it ended after '{seen}'");
            seen += new string(piece, 0, count);
        }

        return seen;
    }
}
