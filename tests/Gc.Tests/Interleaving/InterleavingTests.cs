using CsCheck;
using ImageStore.Gc.Tests.Support;
using ImageStore.Snapshotters.Snapshots;

namespace ImageStore.Gc.Tests.Interleaving;

/// <summary>
/// Two tenants commit, name, label, lease, snapshot and let go between the steps of a collection, while time passes and the clock is set:
/// what is reachable is never lost, and what is not always goes.
/// </summary>
/// <remarks>A simple model in memory does what the store does; a failing course of steps is shrunk to a short one.</remarks>
public sealed class InterleavingTests
{
    private const int Usual = 1500;
    private const string CoursesVariable = "IMAGESTORE_INTERLEAVINGS";

    private static readonly Gen<Step> s_step = Gen.Select(
        Gen.Enum<Act>(), Gen.Int[0, 1], Gen.Int[0, 9], Gen.Int[0, 9], (act, ns, a, b) => new Step(act, ns, a, b));

    [Fact]
    public async Task Collect_WhileOthersWork_LosesNothingReachable()
    {
        var courses = int.TryParse(Environment.GetEnvironmentVariable(CoursesVariable), out var wanted) ? wanted : Usual;
        await using var root = await CollectedRoot.OpenAsync();
        root.Collector.Batch = 1;
        IReadOnlyList<string> namespaces = [CollectedRoot.Namespace, "other"];
        List<ISnapshotter> snapshotters = [];
        foreach (var ns in namespaces)
        {
            await root.Root.Namespaces.EnsureAsync(ns, CancellationToken.None);
            snapshotters.Add(await SnapshotterFactory.OpenAsync("native", root.Root.Directory, ns, root.Root.Database, root.Time, CancellationToken.None));
        }

        s_step.Array[1, 40].Sample(
            steps => RunAsync(root, new Course(root, namespaces, snapshotters), steps).GetAwaiter().GetResult(), iter: courses, threads: 1);
    }

    private static async Task RunAsync(CollectedRoot root, Course course, Step[] steps)
    {
        try
        {
            for (var i = 0; i < steps.Length; i++)
            {
                if (steps[i].Act != Act.Collect)
                {
                    await course.DoAsync(steps[i]);
                    continue;
                }

                // What follows happens while it collects, a step at a time.
                var (next, last) = (i + 1, Math.Min(steps.Length, i + 1 + steps[i].A));
                var undisturbed = true;
                root.Collector.Between = async () =>
                {
                    await course.CheckAsync();
                    if (next < last && steps[next].Act is not (Act.Collect or Act.SetClock))
                    {
                        undisturbed = false;
                        await course.DoAsync(steps[next++]);
                    }
                };
                await root.Collector.CollectAsync(CancellationToken.None);
                await (undisturbed ? course.CheckExactlyAsync() : course.CheckAsync());

                i = next - 1;
            }
        }
        finally
        {
            root.Collector.Between = null;
            await course.EndAsync();
        }

        await root.Collector.CollectAsync(CancellationToken.None);
        await course.CheckNothingAsync();
    }
}
