using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>Cuts the power, repeats the command, and cuts it again while the repeat repairs or right after it.</summary>
internal sealed class RepairRun(RecordedCourse course, Scratch scratch, int seed, Tally tally)
{
    private readonly CutWorkers _workers = new(course, scratch);

    /// <summary>Cuts first after each of the numbers of operations.</summary>
    public Task RunAsync(IEnumerable<int> cuts, CancellationToken cancellationToken) =>
        _workers.RunAsync(cuts, (cut, boots) => CheckAsync(cut, boots, cancellationToken), cancellationToken);

    /// <summary>The name of a place at which this cuts first.</summary>
    public static string NameOf(RecordedCourse course, int cut) => CutStory.NameOf(course, cut, "repaired");

    private async Task CheckAsync(int cut, CutWorkers.Boots boots, CancellationToken cancellationToken)
    {
        var step = course.StepAt(cut);
        var first = CutVariant.Seeded[cut % CutVariant.Seeded.Count];
        var (before, _) = PowerCut.At(course.Before, course.Operations.Take(cut), first, first.RandomFor(seed, cut));
        var replay = await Replay.RunAsync(before.Copy(), [], step.Step, boots.Another, scratch, injection: null);
        tally.Count("repairs recorded");
        var random = first.RandomFor(~seed, cut);
        (int End, CutVariant Variant)[] seconds =
        [
            (replay.Operations.Count, CutVariant.Lost),
            (random.Next(replay.Operations.Count + 1), CutVariant.Seeded[random.Next(CutVariant.Seeded.Count)]),
        ];
        foreach (var (end, variant) in seconds)
        {
            var (state, fates) = PowerCut.At(before, replay.Operations.Take(end), variant, variant.RandomFor(~seed, cut));
            var findings = await _workers.CheckAsync(
                state, step, boots.Third, replay.Result.ExitCode == 0 && end == replay.Operations.Count, sameBoot: false, cut, cancellationToken);
            tally.Count("disks checked, cut and repaired");
            if (findings.Count > 0)
            {
                Kept.Save(state, $"{NameOf(course, cut)}-{variant}");
                tally.Fail(findings, () =>
                    CutStory.Tell(step, replay.Operations.Take(end), fates, NameOf(course, cut), seed)
                    + $"\n  first cut {first}, then {variant} after {end} of {replay.Operations.Count} operations of the repeat");
            }
        }
    }
}
