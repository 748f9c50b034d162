using System.Globalization;
using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Courses;
using ImageStore.Integration.Tests.Durability.Disk;
using ImageStore.Integration.Tests.Durability.Tracing;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.Faults;

/// <summary>Runs a course's commands with calls that fail, and checks what they say and leave.</summary>
internal sealed class FaultRun(RecordedCourse course, Scratch scratch, int seed, Tally tally)
{
    private const int ToldFates = 12;

    private readonly CutWorkers _workers = new(course, scratch);

    /// <summary>Takes each case; those after it at the same site as well when <paramref name="onward"/> says so.</summary>
    public Task RunAsync(IEnumerable<FaultCase> cases, bool onward, CancellationToken cancellationToken) =>
        _workers.RunAsync(
            cases,
            async (fault, boots) =>
            {
                // The runs are not all alike: the last one is that in which no call was left to fail.
                while (await TakeAsync(fault, boots, cancellationToken) && onward)
                {
                    fault = fault with { Number = fault.Number + 1 };
                }
            },
            cancellationToken);

    private async Task<bool> TakeAsync(FaultCase fault, CutWorkers.Boots boots, CancellationToken cancellationToken)
    {
        try
        {
            return await TryAsync(fault, boots, cancellationToken);
        }
        catch (Xunit.Sdk.XunitException hang)
        {
            Count(fault, new Run.Result(-1, string.Empty, hang.Message), [new Finding(FindingKind.BadError, "did not end")]);
            return false;
        }
    }

    private async Task<bool> TryAsync(FaultCase fault, CutWorkers.Boots boots, CancellationToken cancellationToken)
    {
        var injection = string.Create(CultureInfo.InvariantCulture, $"{fault.Call}:error={fault.Error}:when={fault.Number}");
        return fault.Path is null
            ? await RecordedAsync(fault, injection, boots, cancellationToken)
            : await InjectedAsync(fault, fault.Path, injection, boots, cancellationToken);
    }

    /// <summary>Only the calls on one path are looked at.</summary>
    private async Task<bool> InjectedAsync(
        FaultCase fault, string path, string injection, CutWorkers.Boots boots, CancellationToken cancellationToken)
    {
        var directory = scratch.NewFolder("fault");
        var state = Replay.StateAt(course, fault.Step.Start);
        new DiskWriter(state).WriteTo(directory);
        var cli = new StoreCli(Path.Combine(directory, RecordedCourse.RootName), boots.Same);
        var traced = await Strace.InjectAsync(
            boots.Same,
            cli.CommandLine(fault.Step.Step.Namespace, fault.Step.Step.Arguments),
            scratch.New("trace"),
            Path.Combine(directory, path).TrimEnd('/'),
            fault.Call,
            injection);
        var failed = traced.Events.Any(one => one.IsEnd && one.Call.Injected);
        if (failed)
        {
            List<Finding> findings = [.. ErrorCheck.Of(traced.Result, fault)];
            findings.AddRange(await new CutCheck(fault.Step, course.Trees, scratch).RunAsync(
                cli, traced.Result.ExitCode == 0, sameBoot: true, fault.Number, cancellationToken));
            Count(fault, traced.Result, findings);
        }

        Directory.Delete(directory, recursive: true);
        return failed;
    }

    /// <summary>All calls are recorded, so that it can be asked what is on disk after a sync that failed.</summary>
    private async Task<bool> RecordedAsync(
        FaultCase fault, string injection, CutWorkers.Boots boots, CancellationToken cancellationToken)
    {
        var replay = await Replay.RunAsync(course, fault.Step.Start, fault.Step.Step, boots.Same, scratch, injection);
        if (replay.Injected == 0)
        {
            return false;
        }

        var acknowledged = replay.Result.ExitCode == 0;
        List<Finding> findings = [.. ErrorCheck.Of(replay.Result, fault)];
        var unsynced = string.Empty;
        foreach (var variant in (CutVariant[])[CutVariant.Kill, CutVariant.Lost])
        {
            var (state, fates) = PowerCut.At(course.Before, replay.Operations, variant, variant.RandomFor(seed, fault.Number));
            var found = await _workers.CheckAsync(
                state, fault.Step, variant.SameBoot ? boots.Same : boots.Another, acknowledged, variant.SameBoot, fault.Number, cancellationToken);
            findings.AddRange(found.Select(one => one with { Text = $"{(variant.SameBoot ? string.Empty : "after a power cut: ")}{one.Text}" }));
            unsynced = found.Count > 0 && !variant.SameBoot ? string.Concat(fates.TakeLast(ToldFates).Select(fate => $"\n    {fate}")) : unsynced;
        }

        Count(fault, replay.Result, findings, unsynced);
        return true;
    }

    private void Count(FaultCase fault, Run.Result result, List<Finding> findings, string unsynced = "")
    {
        tally.Count(result.ExitCode == 0 ? "faults that were harmless" : "faults that were told");
        if (findings.Count > 0)
        {
            tally.Fail(
                findings,
                () => $"  {fault.Call} on {fault.Path ?? "any path"}, call {fault.Number} of each thread, failed with {fault.Error} "
                    + $"in '{fault.Step.Step}', which ended with {result.ExitCode}: {result.Error.Trim()}{unsynced}\n"
                    + $"  again: IMAGESTORE_DURABILITY_ONLY='{fault.Name}' ./test Integration.Tests");
        }
    }
}
