using System.Diagnostics;
using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Kills;

/// <summary>Runs one or two commands at a time on a root and kills them.</summary>
internal sealed class KillRound(StoreCli cli, Pace pace, Scratch scratch)
{
    private const int KilledCode = 137;

    /// <summary>Starts the commands one after the other, kills each when its time has come, and waits for all.</summary>
    public async Task<IReadOnlyList<Outcome>> RunAsync(IReadOnlyList<KillCommand> commands)
    {
        List<(int Process, string Errors, TimeSpan? Delay, Stopwatch Clock)> started = [];
        for (var i = 0; i < commands.Count; i++)
        {
            var errors = scratch.New("errors");
            var delay = pace.Next(commands[i].Kind, i == 0 ? null : commands[i - 1].Kind);
            var process = await cli.StartAsync(commands[i].Namespace, commands[i].Arguments, errors);
            started.Add((process, errors, delay, Stopwatch.StartNew()));
        }

        // Nobody has waited for the processes, so their numbers are still theirs.
        await Task.WhenAll(started.Where(one => one.Delay is not null).Select(async one =>
        {
            var left = one.Delay!.Value - one.Clock.Elapsed;
            await Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero);
            Kernel.Kill(one.Process);
        }));
        List<Outcome> outcomes = [];
        for (var i = 0; i < commands.Count; i++)
        {
            var code = await cli.Boot.WaitAsync(started[i].Process);
            if (code == 0 && commands.Count == 1 && started[i].Delay is null)
            {
                pace.Learn(commands[i].Kind, started[i].Clock.Elapsed);
            }

            // A kill may be faster than the shell that makes the file.
            var error = File.Exists(started[i].Errors) ? await File.ReadAllTextAsync(started[i].Errors) : string.Empty;
            outcomes.Add(new Outcome(commands[i], code, code == KilledCode, started[i].Delay, error.Trim()));
            File.Delete(started[i].Errors);
        }

        return outcomes;
    }

    /// <summary>What became of a command.</summary>
    internal sealed record Outcome(KillCommand Command, int Code, bool Killed, TimeSpan? Delay, string Error)
    {
        public override string ToString() => Killed
            ? $"{Command}: killed after {Delay!.Value.TotalMilliseconds:F0} ms"
            : $"{Command}: ended with {Code}{(Error.Length > 0 ? $" ({Error})" : string.Empty)}";
    }
}
