using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Tests.Metadata;

/// <summary>Fails each operation of a workload in turn.</summary>
public sealed class FaultTests
{
    private const int Seed = 4711;
    private const int Commits = 20;
    private const long CheckpointBytes = 200_000;
    private const int NoSpace = 28;
    private const int InputOutput = 5;

    [Theory]
    [InlineData(NoSpace, 1, ErrorKind.NoSpace)]
    [InlineData(InputOutput, 1, ErrorKind.Unavailable)]
    [InlineData(NoSpace, 12, ErrorKind.NoSpace)]
    [InlineData(InputOutput, int.MaxValue, ErrorKind.Unavailable)]
    public async Task CommitAsync_WhenTheDiskFailsAtEachOperation_TellsAndKeepsWhatWasBefore(int errno, int length, ErrorKind kind)
    {
        var whole = new CrashDisk(new Dictionary<string, byte[]>());
        Assert.Equal(0, await RunAsync(whole, kind));
        Assert.True(whole.Operations > 100);
        Assert.True(whole.Files()[MetadataDisk.Data].Length > 100_000, "The workload moved no log.");
        var failures = 0;
        for (var n = 0; n < whole.Operations; n++)
        {
            var (first, disk) = (n, new CrashDisk(new Dictionary<string, byte[]>()));
            disk.Fault = operation => operation >= first && operation - first < length ? errno : 0;
            failures += await RunAsync(disk, kind);
        }

        // What only tidies is told to nobody, as nothing of it was asked for.
        Assert.True(failures > whole.Operations / 4);
    }

    [Fact]
    public async Task Get_WhenTheDiskFailsAtEachRead_TellsAndReadsLater()
    {
        var whole = new CrashDisk(new Dictionary<string, byte[]>());
        Assert.Equal(0, await RunAsync(whole, default));
        var (files, reads, told) = (whole.Files(), 0, 0);
        for (var n = -1; n < reads; n++)
        {
            var (at, disk, failed) = (n, new CrashDisk(files), false);
            disk.ReadFault = read => read == at ? InputOutput : 0;
            for (string? dump = null; dump is null;)
            {
                try
                {
                    await using var db = await OpenAsync(disk);
                    dump = Workload.Dump(db);
                    await db.CommitAsync(tx => tx.Put(StoreTables.Namespaces, "more", new(default, [])), default);
                    Assert.NotNull(db.Get(StoreTables.Namespaces, "more"));
                    reads = n < 0 ? disk.Reads : reads;
                }
                catch (ImageStoreException failure)
                {
                    Assert.False(failed);
                    Assert.Equal(ErrorKind.Unavailable, failure.Kind);
                    (failed, dump, told) = (true, null, told + 1);
                }
            }
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.True(told > 0 && told == reads, $"{told} of {reads} failures were told.");
    }

    [Fact]
    public async Task CommitAsync_OfManyThatWait_SyncsOnceForAll()
    {
        var disk = new CrashDisk(new Dictionary<string, byte[]>());
        await using var db = await OpenAsync(disk);
        var before = disk.Syncs;
        await db.CommitAsync(tx => tx.Put(StoreTables.Namespaces, "one", new(default, [])), default);
        Assert.Equal(1, disk.Syncs - before);

        using var gate = new ManualResetEventSlim();
        var first = db.CommitAsync(tx => gate.Wait(), default);
        var rest = Enumerable.Range(0, 100)
            .Select(i => db.CommitAsync(tx => tx.Put(StoreTables.Namespaces, $"n{i}", new(default, [])), default)).ToList();
        gate.Set();
        await Task.WhenAll([first, .. rest]);
        Assert.InRange(disk.Syncs - before, 2, 3);
        Assert.Equal(101, db.List(StoreTables.Namespaces, string.Empty).Count);
    }

    [Fact]
    public async Task Get_OfATableFirstUsedAfterAFailedCommit_ReadsTheDisk()
    {
        var disk = new CrashDisk(new Dictionary<string, byte[]>());
        await using (var db = await OpenAsync(disk))
        {
            await db.CommitAsync(tx => tx.Put(StoreTables.Namespaces, "there", new(default, [])), default);
        }

        await using var again = await OpenAsync(disk);
        disk.Fault = _ => NoSpace;
        await Assert.ThrowsAsync<ImageStoreException>(
            () => again.CommitAsync(tx => tx.Put(StoreTables.Leases, "default/l", new(default, [])), default));
        disk.Fault = _ => 0;

        Assert.NotNull(again.Get(StoreTables.Namespaces, "there"));
    }

    [Fact]
    public async Task CommitAsync_AfterOneThatFailedToSync_DoesNotBringThatBack()
    {
        var disk = new CrashDisk(new Dictionary<string, byte[]>());
        await using (var db = await OpenAsync(disk))
        {
            await db.CommitAsync(tx => tx.Put(StoreTables.Namespaces, "first", new(default, [])), default);
            disk.FailNextSync = true;
            await Assert.ThrowsAsync<ImageStoreException>(
                () => db.CommitAsync(tx => tx.Put(StoreTables.Namespaces, "failed", new(default, [])), default));
            await db.CommitAsync(tx => tx.Put(StoreTables.Namespaces, "last", new(default, [])), default);
        }

        await using var again = await OpenAsync(disk);
        Assert.Equal(["first", "last"], again.List(StoreTables.Namespaces, string.Empty).Select(row => row.Key));
    }

    /// <summary>The number of failures that were told, each of them checked.</summary>
    private static async Task<int> RunAsync(CrashDisk disk, ErrorKind kind)
    {
        var (failures, expected) = (0, string.Empty);
        MetadataDb? db = null;
        var random = new Random(Seed);
        for (var number = 0; number < Commits; number++)
        {
            try
            {
                db ??= await OpenAsync(disk);
                await new Workload(db, random).StepAsync(number);
                expected = Workload.Dump(db);
            }
            catch (ImageStoreException told)
            {
                failures++;
                Assert.Equal(kind, told.Kind);
                Assert.Contains(disk.Directory, told.Message, StringComparison.Ordinal);
                Assert.NotNull(told.Remedy);
            }
        }

        disk.Fault = _ => 0;
        if (db is not null)
        {
            Assert.Equal(expected, Workload.Dump(db));
            await new Workload(db, random).StepAsync(Commits);
            expected = Workload.Dump(db);
            await db.DisposeAsync();
        }

        await using var again = await OpenAsync(disk);
        Assert.Equal(expected, Workload.Dump(again));
        return failures;
    }

    private static Task<MetadataDb> OpenAsync(CrashDisk disk) =>
        MetadataDb.OpenAsync(disk, MetadataAccess.ReadWrite, CheckpointBytes, TimeSpan.Zero, default);
}
