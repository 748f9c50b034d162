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
        var failures = 0;
        for (var n = 0; n < whole.Operations; n++)
        {
            var (first, disk) = (n, new CrashDisk(new Dictionary<string, byte[]>()));
            disk.Fault = operation => operation >= first && operation - first < length ? errno : 0;
            failures += await RunAsync(disk, kind);
        }

        Assert.True(failures > whole.Operations / 2);
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
        MetadataDb.OpenAsync(disk, MetadataAccess.ReadWrite, CheckpointBytes, default);
}
