using System.Collections.Concurrent;
using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>Works through cases, as many at a time as there are processors, each worker with boots of its own.</summary>
internal sealed class CutWorkers(RecordedCourse course, Scratch scratch)
{
    /// <summary>Does <paramref name="work"/> for each case.</summary>
    public async Task RunAsync<T>(IEnumerable<T> cases, Func<T, CutWorkers.Boots, Task> work, CancellationToken cancellationToken)
    {
        var queue = new ConcurrentQueue<T>(cases);
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(async _ =>
        {
            await using var same = await Boot.SameAsync(scratch, course.Account);
            await using var another = await Boot.AnotherAsync(scratch, course.Account);
            await using var third = await Boot.AnotherAsync(scratch, course.Account);

            // Who stops it is still told what was found until then.
            while (!cancellationToken.IsCancellationRequested && queue.TryDequeue(out var one))
            {
                try
                {
                    await work(one, new Boots(same, another, third));
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }));
    }

    /// <summary>Writes the disk somewhere, and checks it there.</summary>
    /// <returns>What is wrong.</returns>
    public async Task<IReadOnlyList<Finding>> CheckAsync(
        DiskState state, RecordedStep step, Boot boot, bool acknowledged, bool sameBoot, int mounted, CancellationToken cancellationToken)
    {
        var directory = scratch.NewFolder("cut");
        new DiskWriter(state).WriteTo(directory);
        var cli = new StoreCli(Path.Combine(directory, RecordedCourse.RootName), boot);
        var findings = await new CutCheck(step, course.Trees, scratch).RunAsync(cli, acknowledged, sameBoot, mounted, cancellationToken);
        Directory.Delete(directory, recursive: true);
        return findings;
    }

    /// <summary>The boots of one worker: the machine's, and two that come after it.</summary>
    internal sealed record Boots(Boot Same, Boot Another, Boot Third);
}
