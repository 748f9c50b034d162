using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Disk;
using ImageStore.Integration.Tests.Durability.Faults;
using ImageStore.Integration.Tests.Durability.Tracing;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>A course that ran to its end, and all that it did to the disk.</summary>
/// <param name="Account">Who ran it.</param>
/// <param name="Before">The disk before it.</param>
/// <param name="Operations">In order.</param>
/// <param name="Steps">In order.</param>
/// <param name="Trees">What images show when they are mounted, by namespace and name.</param>
internal sealed record RecordedCourse(
    Account Account,
    DiskState Before,
    IReadOnlyList<DiskOperation> Operations,
    IReadOnlyList<RecordedStep> Steps,
    IReadOnlyDictionary<(string Namespace, string Name), SortedDictionary<string, string>> Trees)
{
    public const string RootName = "root";
    private const int Attempts = 5;

    /// <summary>Runs the steps on a fresh root, and records them.</summary>
    public static async Task<RecordedCourse> RunAsync(
        IReadOnlyList<Step> steps, IReadOnlyList<(string Namespace, string Name)> mountable, Account account, Scratch scratch, CancellationToken cancellationToken)
    {
        // A call that a kill came into may have been done, and only the disk tells: no record of it can be right for sure.
        for (var attempt = 1; ; attempt++)
        {
            if (await TryAsync(steps, mountable, account, scratch, attempt == Attempts, cancellationToken) is { } course)
            {
                return course;
            }
        }
    }

    private static async Task<RecordedCourse?> TryAsync(
        IReadOnlyList<Step> steps,
        IReadOnlyList<(string Namespace, string Name)> mountable,
        Account account,
        Scratch scratch,
        bool isLast,
        CancellationToken cancellationToken)
    {
        await using var boot = await Boot.SameAsync(scratch, account);
        var scope = scratch.NewFolder("course");
        var before = new DiskState(new Inode(InodeKind.Directory));
        var record = new DiskRecord(scope, before.Copy(), account.Owner);
        var cli = new StoreCli(Path.Combine(scope, RootName), boot);
        var undisturbed = new UndisturbedRoots(mountable, boot, scratch);
        List<RecordedStep> recorded = [];
        var facts = new Facts();
        foreach (var step in steps)
        {
            var start = record.Operations.Count;
            var traced = await Strace.RecordAsync(boot, cli.CommandLine(step.Namespace, step.Arguments), scratch.New("trace"), step.Death);
            Assert.True(
                (traced.Result.ExitCode == 0) == step.Death is null, $"{step} ended with {traced.Result.ExitCode}: {traced.Result.Error}");
            record.Add(traced.Events);

            // What the record makes of the calls has to be what the kernel made of them, or all that follows means nothing.
            var difference = DiskDifference.Of(record.State, await DiskReader.ReadAsync(scope));
            if (difference.Count > 0 && step.Death is not null && !isLast)
            {
                Directory.Delete(scope, recursive: true);
                return null;
            }

            Assert.Empty(difference);
            var goal = step.Effect(facts);
            var after = step.Death is null ? goal : facts;
            recorded.Add(new RecordedStep(step, start, record.Operations.Count, facts, after, goal)
            {
                Undisturbed = await undisturbed.LookAsync(record.State, step, goal, cancellationToken),
                Sites = CallSite.Of(traced.Events, scope),
            });
            facts = after;
        }

        Directory.Delete(scope, recursive: true);
        return new RecordedCourse(account, before, record.Operations, recorded, undisturbed.Trees);
    }

    /// <summary>The step in which the operation number <paramref name="cut"/> is, or the last one.</summary>
    public RecordedStep StepAt(int cut) => Steps.FirstOrDefault(step => cut < step.End) ?? Steps[^1];
}
