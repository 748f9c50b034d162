using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Tests.Metadata;

/// <summary>Cuts the power at random places of a workload, and looks at what the disk kept.</summary>
public sealed class PowerCutTests
{
    private const int Workloads = 8;
    private const int Commits = 40;
    private const int Cuts = 100;
    private const long CheckpointBytes = 300_000;

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Open_AfterPowerCutAtRandomPlace_HasWhatWasAcknowledgedAndGoesOn(int seed)
    {
        var random = new Random(seed);
        var disk = new CrashDisk(new Dictionary<string, byte[]>());
        var history = await RunAsync(disk, random, Commits);
        Assert.InRange(history.Count, Commits + 1, Commits + 2);
        Assert.True(disk.Files()[MetadataDisk.Data].Length > 100_000, "The workload moved no log.");
        for (var i = 0; i < Cuts; i++)
        {
            var cut = random.Next(disk.Now + 1);
            var known = history.FindLastIndex(state => state.Place <= cut);
            var after = new CrashDisk(disk.CutAt(cut, random));
            var (found, next) = await CheckAsync(after, [.. history.Skip(Math.Max(known, 0)).Take(2)], $"seed {seed}, cut {i}");

            // The repair itself may meet the next cut, with a commit on top of it.
            cut = random.Next(after.Now + 1);
            await CheckAsync(
                new CrashDisk(after.CutAt(cut, random)), cut < next.Place ? [found, next] : [next], $"seed {seed}, cut {i}, and again");
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Open_AfterFailedOperationsAndPowerCut_HasWhatWasAcknowledged(int seed)
    {
        var random = new Random(~seed);
        for (var i = 0; i < Cuts / 4; i++)
        {
            var disk = new CrashDisk(new Dictionary<string, byte[]>());
            var (first, pace) = (random.Next(20), random.Next(11, 40));
            disk.Fault = operation => operation % pace == first ? 5 : 0;
            var history = await RunAsync(disk, random, Commits / 2);
            await CheckAsync(
                new CrashDisk(disk.CutAt(disk.Now, random)), history[^1..], $"seed {seed}, disk {i}: each {pace}th operation failed");
        }
    }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, Workloads)];

    /// <summary>Opens, compares, commits, and opens again; tells what was there, and what was after the commit.</summary>
    private static async Task<(State Found, State Next)> CheckAsync(CrashDisk disk, List<State> allowed, string what)
    {
        try
        {
            State found, next;
            await using (var db = await OpenAsync(disk))
            {
                found = new State(0, Workload.Dump(db));
                Assert.True(allowed.Any(state => state.Dump == found.Dump), $"{what}: what is there was never told.\n{found.Dump}");
                await db.CommitAsync(tx => tx.Put(StoreTables.Namespaces, what, new(default, [])), default);
                next = new State(disk.Now, Workload.Dump(db));
            }

            await using var again = await OpenAsync(disk);
            Assert.Equal(next.Dump, Workload.Dump(again));
            return (found, next);
        }
        catch (Exception failure) when (failure is not Xunit.Sdk.XunitException)
        {
            throw new InvalidOperationException($"{what}: {failure.Message}", failure);
        }
    }

    /// <summary>The states that were told, each with the place in the journal at which it was; the last commit succeeds.</summary>
    private static async Task<List<State>> RunAsync(CrashDisk disk, Random random, int commits)
    {
        List<State> history = [];
        var expected = string.Empty;
        MetadataDb? db = null;
        for (var number = 0; number < commits; number++)
        {
            try
            {
                if (number == commits - 1)
                {
                    disk.Fault = _ => 0;
                }

                if (db is null)
                {
                    db = await OpenAsync(disk);
                    expected = Workload.Dump(db);
                    history.Add(new State(disk.Now, expected));
                }

                await new Workload(db, random).StepAsync(number);
                expected = Workload.Dump(db);
                history.Add(new State(disk.Now, expected));
            }
            catch (ImageStoreException)
            {
                // What failed is not there. Now and then the process ends over it.
                if (db is not null)
                {
                    Assert.Equal(expected, Workload.Dump(db));
                    if (random.Next(2) == 0)
                    {
                        await db.DisposeAsync();
                        db = null;
                    }
                }
            }
        }

        // A step may have had nothing to change, and so no reason to cut off what failed before it: then that is in doubt.
        db ??= await OpenAsync(disk);
        await db.CommitAsync(tx => tx.Put(StoreTables.Namespaces, "last", new(default, [])), default);
        history.Add(new State(disk.Now, Workload.Dump(db)));
        await db.DisposeAsync();
        return history;
    }

    private static Task<MetadataDb> OpenAsync(CrashDisk disk) =>
        MetadataDb.OpenAsync(disk, MetadataAccess.ReadWrite, CheckpointBytes, TimeSpan.Zero, default);

    /// <summary>All rows, and the operation after which they were told.</summary>
    private sealed record State(int Place, string Dump);
}
