using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Disk;
using ImageStore.Integration.Tests.Durability.Tracing;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>Goes on from inside a recorded course: another process on the disk that one left that died.</summary>
/// <param name="Operations">The past, and what the process did.</param>
/// <param name="Result">What the process ended with.</param>
/// <param name="Injected">How often a call was made to fail.</param>
internal sealed record Replay(IReadOnlyList<DiskOperation> Operations, Support.Run.Result Result, int Injected)
{
    /// <summary>The disk that processes see after the first operations.</summary>
    public static DiskState StateAt(RecordedCourse course, int cut)
    {
        var state = course.Before.Copy();
        foreach (var operation in course.Operations.Take(cut))
        {
            state.Apply(operation);
        }

        return state;
    }

    /// <summary>Runs the step's command where the course was after <paramref name="cut"/> operations, and records it.</summary>
    public static Task<Replay> RunAsync(RecordedCourse course, int cut, Step step, Boot boot, Scratch scratch, string? injection) =>
        RunAsync(StateAt(course, cut), [.. course.Operations.Take(cut)], step, boot, scratch, injection);

    /// <summary>Runs the step's command on a disk that came about by what was done in the past, and records it.</summary>
    public static async Task<Replay> RunAsync(
        DiskState state, IReadOnlyList<DiskOperation> past, Step step, Boot boot, Scratch scratch, string? injection)
    {
        var scope = scratch.NewFolder("replay");
        new DiskWriter(state).WriteTo(scope);
        var record = new DiskRecord(scope, state, boot.Account.Owner, past);
        var cli = new StoreCli(Path.Combine(scope, RecordedCourse.RootName), boot);
        var traced = await Strace.RecordAsync(boot, cli.CommandLine(step.Namespace, step.Arguments), scratch.New("trace"), injection);
        record.Add(traced.Events);
        Directory.Delete(scope, recursive: true);
        return new Replay(record.Operations, traced.Result, traced.Events.Count(one => one.IsEnd && one.Call.Injected));
    }
}
