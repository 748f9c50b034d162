using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Courses;
using ImageStore.Integration.Tests.Durability.Disk;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability;

/// <content>Shows that the checks see what they are for: each kind of sync is left out of the record once, and is missed.</content>
public sealed partial class PowerCutTests
{
    [Theory]
    [InlineData("sync root/metadata/meta.log", nameof(FindingKind.Unreadable))]
    [InlineData("sync root/content/blobs/sha256", nameof(FindingKind.Dangling))]
    [InlineData("sync root/content/blobs/sha256/", nameof(FindingKind.WrongBlob))]
    [InlineData("sync root/metadata", nameof(FindingKind.Unreadable))]
    [InlineData("sync root", nameof(FindingKind.LostCommit))]
    [InlineData("sync ", nameof(FindingKind.LostCommit))]
    public async Task Check_WithoutOneKindOfSync_FindsWhatIsMissing(string sync, string kind)
    {
        var course = await fixture.GetAsync(TestContext.Current.CancellationToken);
        var kinds = await KindsAsync(course, course.Steps[0], one => one is InodeSync && Matches(one.ToString()!, sync));
        Assert.Contains(Enum.Parse<FindingKind>(kind), kinds);
    }

    [Fact]
    public async Task Check_WithoutWholeSync_FindsThatSnapshotsAreMissing()
    {
        Run.NeedRoot();
        var course = await fixture.GetAsync(TestContext.Current.CancellationToken);
        var step = course.Steps.First(one => one.After.SyncedSnapshots.Count > 0);
        Assert.Contains(FindingKind.Unreadable, await KindsAsync(course, step, one => one is WholeSync));
    }

    /// <summary>One that ends with a slash stands for all below it.</summary>
    private static bool Matches(string operation, string sync) =>
        sync.EndsWith('/') ? operation.StartsWith(sync, StringComparison.Ordinal) : operation == sync;

    /// <summary>What is found wrong when the power goes right after the step's acknowledgement.</summary>
    private async Task<IReadOnlyList<FindingKind>> KindsAsync(
        RecordedCourse course, RecordedStep step, Func<DiskOperation, bool> left)
    {
        var token = TestContext.Current.CancellationToken;
        Assert.Contains(course.Operations.Take(step.End), operation => left(operation));
        var operations = course.Operations.Take(step.End)
            .Select(one => left(one) ? new SkippedSync(one.Entered, one.Left, one) : one);
        var (state, _) = PowerCut.At(course.Before, operations, CutVariant.Lost, new Random(1));
        await using var another = await Boot.AnotherAsync(fixture.Scratch, course.Account);
        var findings = await new CutWorkers(course, fixture.Scratch).CheckAsync(
            state, step, another, acknowledged: true, sameBoot: false, mounted: 0, token);
        return [.. findings.Select(finding => finding.Kind)];
    }
}
