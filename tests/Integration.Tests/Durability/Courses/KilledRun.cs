using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>Kills a command, repeats it, and then cuts the power: what the dead process did not sync, the next one must not trust.</summary>
internal sealed class KilledRun(RecordedCourse course, Scratch scratch, int seed, Tally tally)
{
    private static readonly IReadOnlyList<CutVariant> s_variants = [CutVariant.Lost, .. CutVariant.Seeded.Take(2)];

    private readonly CutWorkers _workers = new(course, scratch);

    /// <summary>Kills after each of the numbers of operations.</summary>
    public Task RunAsync(IEnumerable<int> cuts, CancellationToken cancellationToken) =>
        _workers.RunAsync(cuts, (cut, boots) => CheckAsync(cut, boots, cancellationToken), cancellationToken);

    /// <summary>The name of a place at which this kills.</summary>
    public static string NameOf(RecordedCourse course, int cut) => CutStory.NameOf(course, cut, "killed");

    private async Task CheckAsync(int cut, CutWorkers.Boots boots, CancellationToken cancellationToken)
    {
        var step = course.StepAt(cut);
        var replay = await Replay.RunAsync(course, cut, step.Step, boots.Same, scratch, injection: null);
        tally.Count("repeats recorded");
        var acknowledged = replay.Result.ExitCode == 0;
        foreach (var variant in s_variants)
        {
            // The last acknowledges, and one place somewhere in the repeat.
            var random = variant.RandomFor(seed, cut);
            var end = variant == CutVariant.Lost ? replay.Operations.Count : random.Next(cut, replay.Operations.Count + 1);
            var (state, fates) = PowerCut.At(course.Before, replay.Operations.Take(end), variant, random);
            var findings = await _workers.CheckAsync(
                state, step, boots.Another, acknowledged && end == replay.Operations.Count, sameBoot: false, cut, cancellationToken);
            tally.Count("disks checked, killed and repeated");
            if (findings.Count > 0)
            {
                Kept.Save(state, $"{NameOf(course, cut)}-{variant}");
                tally.Fail(findings, () =>
                    CutStory.Tell(step, replay.Operations.Take(end), fates, NameOf(course, cut), seed)
                    + $"\n  which is {end - cut} of {replay.Operations.Count - cut} operations into the repeat, variant {variant}");
            }
        }
    }
}
