using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Courses;
using ImageStore.Integration.Tests.Durability.Faults;
using ImageStore.Integration.Tests.Durability.Tracing;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability;

/// <summary>Has each call fail that changes a root or syncs it.</summary>
[Collection(RegistryGroup.Name)]
public sealed class FaultTests(RegistryFixture registry, ITestOutputHelper output) : IDisposable
{
    private const int Faults = 24;

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task Command_WhoseCallFails_SaysSoOrLosesNothingAndRepeats()
    {
        registry.Need();
        await Strace.NeedAsync();
        var token = TestContext.Current.CancellationToken;
        var (steps, mountable) = await FaultCourse.MakeAsync(registry, _scratch.NewFolder("images"));
        var course = await RecordedCourse.RunAsync(steps, mountable, Account.Self, _scratch, token);
        List<FaultCase> all = [.. course.Steps.SelectMany(AtSites), .. course.Steps.SelectMany(AnyWhere)];
        output.WriteLine($"seed {Settings.Seed}");
        var tally = new Tally();
        tally.Count("calls recorded", course.Steps.Sum(step => step.Sites.Sum(site => site.Count)));
        var chosen = Settings.Only is { } only ? all.Where(fault => fault.Name == only) : Settings.Full ? all : Sample.Of(all, Faults);
        await new FaultRun(course, _scratch, Settings.Seed, tally).RunAsync(chosen, Settings.Full && Settings.Only is null, token);
        tally.Tell(output);
    }

    /// <summary>Each call on each path, the first to the last; a full run goes on from the last.</summary>
    private static IEnumerable<FaultCase> AtSites(RecordedStep step, int number) =>
        from site in step.Sites
        where !site.Syncs
        from error in FaultCase.Errors(site.Opens)
        from call in Settings.Full && Settings.Only is null ? [1] : Enumerable.Range(1, site.Count)
        select new FaultCase(step, number, site.Call, site.Path, error, call);

    /// <summary>The calls of a kind, whatever they are about: the paths of some are never the same.</summary>
    private static IEnumerable<FaultCase> AnyWhere(RecordedStep step, int number) =>
        from site in step.Sites.GroupBy(site => site.Call)
        from error in FaultCase.Errors(site.First().Opens)
        from call in Settings.Full && Settings.Only is null ? [1] : Enumerable.Range(1, site.Sum(one => one.Count))
        select new FaultCase(step, number, site.Key, null, error, call);
}
