using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>Cuts a recorded course off at many places, and checks each disk that comes of it.</summary>
internal sealed class CutRun(RecordedCourse course, Scratch scratch, int seed, Tally tally)
{
    private readonly CutWorkers _workers = new(course, scratch);
    private readonly ConcurrentDictionary<string, bool> _seen = new(StringComparer.Ordinal);

    /// <summary>Takes each place.</summary>
    public Task RunAsync(IEnumerable<CutPlace> places, CancellationToken cancellationToken) =>
        _workers.RunAsync(places, (place, boots) => CheckAsync(place, boots, cancellationToken), cancellationToken);

    private async Task CheckAsync(CutPlace place, CutWorkers.Boots boots, CancellationToken cancellationToken)
    {
        var name = CutStory.NameOf(course, place.Cut, place.Variant.Name);
        var (state, fates) = PowerCut.At(
            course.Before, course.Operations.Take(place.Cut), place.Variant, place.Variant.RandomFor(seed, place.Cut));
        var step = course.StepAt(place.Cut);
        var acknowledged = place.Cut >= step.End;
        if (!_seen.TryAdd(Identity(state, step, acknowledged, place.Variant.SameBoot), true))
        {
            tally.Count("disks that were the same as one before");
            return;
        }

        var findings = await _workers.CheckAsync(
            state, step, place.Variant.SameBoot ? boots.Same : boots.Another, acknowledged, place.Variant.SameBoot, place.Cut, cancellationToken);
        tally.Count($"disks checked, {place.Variant}");
        if (findings.Count > 0)
        {
            Kept.Save(state, name);
            tally.Fail(findings, () => CutStory.Tell(step, course.Operations.Take(place.Cut), fates, name, seed));
        }
    }

    private static string Identity(DiskState state, RecordedStep step, bool acknowledged, bool sameBoot)
    {
        var rows = DiskDifference.Flatten(state).Select(row => $"{row.Key} {row.Value}");
        var text = string.Join('\n', rows.Append($"{step.Start} {acknowledged} {sameBoot}"));
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
