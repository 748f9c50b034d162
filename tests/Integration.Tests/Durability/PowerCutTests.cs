using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Courses;
using ImageStore.Integration.Tests.Durability.Disk;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability;

/// <summary>Cuts the power after each thing that commands do to their root.</summary>
[Collection(RegistryGroup.Name)]
public sealed partial class PowerCutTests(CourseFixture fixture, ITestOutputHelper output) : IClassFixture<CourseFixture>
{
    private const int Singles = 70;
    private const int Kills = 10;
    private const int Repairs = 10;

    [Fact]
    public async Task Root_AfterPowerCutAnywhere_HasWhatWasAcknowledgedAndGoesOn()
    {
        var token = TestContext.Current.CancellationToken;
        var course = await fixture.GetAsync(token);
        output.WriteLine($"seed {Settings.Seed}, {course.Operations.Count} operations in {course.Steps.Count} commands");
        var tally = new Tally();
        await new CutRun(course, fixture.Scratch, Settings.Seed, tally).RunAsync(Places(course), token);
        tally.Tell(output);
    }

    [Fact]
    public async Task Root_AfterKillRepeatAndPowerCut_HasWhatTheRepeatAcknowledged()
    {
        var token = TestContext.Current.CancellationToken;
        var course = await fixture.GetAsync(token);
        output.WriteLine($"seed {Settings.Seed}");
        var tally = new Tally();
        await new KilledRun(course, fixture.Scratch, Settings.Seed, tally).RunAsync(Cuts(course, KilledRun.NameOf, Kills), token);
        tally.Tell(output);
    }

    [Fact]
    public async Task Root_AfterPowerCutInTheRepair_HasWhatTheRepairAcknowledged()
    {
        var token = TestContext.Current.CancellationToken;
        var course = await fixture.GetAsync(token);
        output.WriteLine($"seed {Settings.Seed}");
        var tally = new Tally();
        await new RepairRun(course, fixture.Scratch, Settings.Seed, tally).RunAsync(Cuts(course, RepairRun.NameOf, Repairs), token);
        tally.Tell(output);
    }

    private static IEnumerable<CutPlace> Places(RecordedCourse course)
    {
        List<CutPlace> all = [.. Enumerable.Range(0, course.Operations.Count + 1)
            .SelectMany(cut => CutVariant.All.Select(variant => new CutPlace(cut, variant)))];
        if (Settings.Only is { } only)
        {
            return all.Where(place => CutStory.NameOf(course, place.Cut, place.Variant.Name) == only);
        }

        // What each acknowledgement leaves when nothing else survives, and a sample that is spread over the course.
        return Settings.Full ? all : course.Steps.Select(step => new CutPlace(step.End, CutVariant.Lost)).Concat(Sample.Of(all, Singles));
    }

    private static IEnumerable<int> Cuts(RecordedCourse course, Func<RecordedCourse, int, string> name, int sample)
    {
        List<int> all = [.. Enumerable.Range(0, course.Operations.Count)];
        return Settings.Only is { } only ? all.Where(cut => name(course, cut) == only)
            : Settings.Full ? all
            : Sample.Of(all, sample);
    }
}
