using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>Kills a command, repeats it, and then cuts the power: what the dead process did not sync, the next one must not trust.</summary>
internal sealed class KilledRun(RecordedCourse course, Scratch scratch, int seed, Tally tally)
{
    private const string Metadata = "root/metadata/";

    private static readonly IReadOnlyList<CutVariant> s_variants = [CutVariant.Lost, .. CutVariant.Seeded.Take(2)];

    private readonly CutWorkers _workers = new(course, scratch);

    /// <summary>Kills after each of the numbers of operations.</summary>
    public Task RunAsync(IEnumerable<int> cuts, CancellationToken cancellationToken) =>
        _workers.RunAsync(cuts, (cut, boots) => CheckAsync(cut, boots, cancellationToken), cancellationToken);

    /// <summary>The name of a place at which this kills.</summary>
    public static string NameOf(RecordedCourse course, int cut) => CutStory.NameOf(course, cut, "killed");

    /// <summary>Kills after each of the numbers of operations, and cuts the power after each sync of the metadata in the repeat, with nothing else on the disk.</summary>
    public Task RunAtSyncsAsync(IEnumerable<int> cuts, CancellationToken cancellationToken) =>
        _workers.RunAsync(cuts, (cut, boots) => CheckSyncsAsync(cut, boots, cancellationToken), cancellationToken);

    private async Task CheckAsync(int cut, CutWorkers.Boots boots, CancellationToken cancellationToken)
    {
        var replay = await RepeatAsync(cut, boots);
        foreach (var variant in s_variants)
        {
            // The last acknowledges, and one place somewhere in the repeat.
            var random = variant.RandomFor(seed, cut);
            var end = variant == CutVariant.Lost ? replay.Operations.Count : random.Next(cut, replay.Operations.Count + 1);
            await CheckAsync(replay, cut, end, variant, random, boots, cancellationToken);
        }
    }

    private async Task CheckSyncsAsync(int cut, CutWorkers.Boots boots, CancellationToken cancellationToken)
    {
        var replay = await RepeatAsync(cut, boots);
        for (var end = cut + 1; end <= replay.Operations.Count; end++)
        {
            if (replay.Operations[end - 1] is InodeSync sync && sync.ToString().Contains(Metadata, StringComparison.Ordinal))
            {
                await CheckAsync(replay, cut, end, CutVariant.Lost, CutVariant.Lost.RandomFor(seed, cut), boots, cancellationToken);
            }
        }
    }

    private async Task<Replay> RepeatAsync(int cut, CutWorkers.Boots boots)
    {
        var replay = await Replay.RunAsync(course, cut, course.StepAt(cut).Step, boots.Same, scratch, injection: null);
        tally.Count("repeats recorded");
        return replay;
    }

    private async Task CheckAsync(
        Replay replay, int cut, int end, CutVariant variant, Random random, CutWorkers.Boots boots, CancellationToken cancellationToken)
    {
        var step = course.StepAt(cut);
        var acknowledged = replay.Result.ExitCode == 0 && end == replay.Operations.Count;
        var (state, fates) = PowerCut.At(course.Before, replay.Operations.Take(end), variant, random);
        var findings = await _workers.CheckAsync(state, step, boots.Another, acknowledged, sameBoot: false, cut, cancellationToken);
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
