using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Courses;
using ImageStore.Integration.Tests.Durability.Disk;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability;

/// <summary>Cuts the power after each thing that commands do to their root.</summary>
[Collection(RegistryGroup.Name)]
public sealed partial class PowerCutTests(CourseFixture fixture, ITestOutputHelper output) : IClassFixture<CourseFixture>
{
    private const int Singles = 24;
    private const int Doubles = 5;
    private const int OthersSingles = 8;
    private const int OthersDoubles = 3;

    private readonly Tally _tally = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Root_AfterPowerCutAnywhere_HasWhatWasAcknowledgedAndGoesOn() =>
        await CutAsync(await fixture.GetAsync(Stop), Singles);

    [Fact]
    public async Task Root_AfterKillRepeatAndPowerCut_HasWhatTheRepeatAcknowledged() =>
        await KillAsync(await fixture.GetAsync(Stop), Doubles);

    [Fact]
    public async Task Root_AfterPowerCutInTheRepair_HasWhatTheRepairAcknowledged() =>
        await RepairAsync(await fixture.GetAsync(Stop), Doubles);

    [Fact]
    public async Task RootOfSomebodyElse_AfterPowerCutAnywhere_HasWhatWasAcknowledgedAndGoesOn() =>
        await CutAsync(await fixture.GetOthersAsync(Stop), OthersSingles);

    [Fact]
    public async Task RootOfSomebodyElse_AfterKillRepeatAndPowerCut_HasWhatTheRepeatAcknowledged() =>
        await KillAsync(await fixture.GetOthersAsync(Stop), OthersDoubles);

    [Fact]
    public async Task Root_KilledBetweenABlobsNameAndItsSync_HasTheBlobWhenARepeatRecordsIt()
    {
        var course = await fixture.GetOthersAsync(Stop);
        var cuts = Enumerable.Range(1, course.Steps[0].End).Where(cut => course.Operations[cut - 1] is NameChange names
            && names.ToString().Contains($", name {RecordedCourse.RootName}/content/blobs/", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(cuts);
        await new KilledRun(course, fixture.Scratch, Settings.Seed, _tally).RunAtSyncsAsync(cuts, Stop);
        Tell(course);
    }

    private async Task CutAsync(RecordedCourse course, int sample)
    {
        await new CutRun(course, fixture.Scratch, Settings.Seed, _tally).RunAsync(Places(course, sample), Stop);
        Tell(course);
    }

    private async Task KillAsync(RecordedCourse course, int sample)
    {
        await new KilledRun(course, fixture.Scratch, Settings.Seed, _tally).RunAsync(Cuts(course, KilledRun.NameOf, sample), Stop);
        Tell(course);
    }

    private async Task RepairAsync(RecordedCourse course, int sample)
    {
        await new RepairRun(course, fixture.Scratch, Settings.Seed, _tally).RunAsync(Cuts(course, RepairRun.NameOf, sample), Stop);
        Tell(course);
    }

    private void Tell(RecordedCourse course)
    {
        output.WriteLine($"seed {Settings.Seed}");
        _tally.Count("operations recorded", course.Operations.Count);
        _tally.Tell(output);
    }

    private static IEnumerable<CutPlace> Places(RecordedCourse course, int sample)
    {
        List<CutPlace> all = [.. Enumerable.Range(0, course.Operations.Count + 1)
            .SelectMany(cut => CutVariant.All.Select(variant => new CutPlace(cut, variant)))];
        if (Settings.Only is { } only)
        {
            return all.Where(place => CutStory.NameOf(course, place.Cut, place.Variant.Name) == only);
        }

        // What each acknowledgement leaves when nothing else survives, and a sample that is spread over the course.
        return Settings.Full ? all : course.Steps.Select(step => new CutPlace(step.End, CutVariant.Lost)).Concat(Sample.Of(all, sample));
    }

    private static IEnumerable<int> Cuts(RecordedCourse course, Func<RecordedCourse, int, string> name, int sample)
    {
        List<int> all = [.. Enumerable.Range(0, course.Operations.Count)];
        return Settings.Only is { } only ? all.Where(cut => name(course, cut) == only)
            : Settings.Full ? all
            : Sample.Of(all, sample);
    }
}
