using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Tests.Metadata;

/// <summary>The room that is kept for removals on a full disk.</summary>
public sealed class ReserveTests : IDisposable
{
    private const long CheckpointBytes = 200_000;

    private readonly string _directory = Directory.CreateTempSubdirectory("imagestore-reserve-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task CommitAsync_ThatRemovesOnAFullDisk_TakesTheReserve()
    {
        var disk = new CrashDisk(new Dictionary<string, byte[]>());
        await using var db = await FilledAsync(disk);

        await db.CommitAsync(tx => tx.Delete(StoreTables.Namespaces, "one"), default);

        Assert.Null(db.Get(StoreTables.Namespaces, "one"));
        Assert.False(disk.HasReserve);
    }

    [Fact]
    public async Task CommitAsync_ThatAddsOnAFullDisk_LeavesTheReserve()
    {
        var disk = new CrashDisk(new Dictionary<string, byte[]>());
        await using var db = await FilledAsync(disk);

        var told = await Assert.ThrowsAsync<ImageStoreException>(
            () => db.CommitAsync(tx => tx.Put(StoreTables.Namespaces, "two", new(default, [])), default));

        Assert.Equal(ErrorKind.NoSpace, told.Kind);
        Assert.True(disk.HasReserve);
        await db.CommitAsync(tx => tx.Delete(StoreTables.Namespaces, "one"), default);
    }

    [Fact]
    public async Task CommitAsync_WhenThereIsRoomAgain_TakesTheReserveAgain()
    {
        var disk = new CrashDisk(new Dictionary<string, byte[]>());
        await using var db = await FilledAsync(disk);
        await db.CommitAsync(tx => tx.Delete(StoreTables.Namespaces, "one"), default);

        disk.IsFull = false;
        await db.CommitAsync(tx => tx.Put(StoreTables.Namespaces, "two", new(default, [])), default);
        await db.CommitAsync(_ => true, default);

        Assert.True(disk.HasReserve);
    }

    [Fact]
    public void Keep_TakesBlocksAndNoLength_AndGiveUpFreesThem()
    {
        var reserve = new DiskReserve(_directory);
        Assert.False(reserve.GiveUp());
        reserve.Keep();
        var path = Path.Combine(_directory, DiskReserve.Name);
        if (!File.Exists(path))
        {
            Assert.Skip("This filesystem allocates nothing in advance.");
        }

        using (var file = File.OpenHandle(path))
        {
            Assert.Equal(0, RandomAccess.GetLength(file));
            Assert.True(KernelFile.AllocatedBytes(file) >= DiskReserve.Bytes);
        }

        new DiskReserve(_directory).Keep();
        Assert.True(reserve.GiveUp());
        Assert.False(File.Exists(path));
        Assert.False(reserve.GiveUp());
    }

    /// <summary>A database with a row on a disk that is full from then on, until the reserve is given up.</summary>
    private static async Task<MetadataDb> FilledAsync(CrashDisk disk)
    {
        var db = await MetadataDb.OpenAsync(disk, MetadataAccess.ReadWrite, CheckpointBytes, TimeSpan.FromMinutes(1), default);
        await db.CommitAsync(tx => tx.Put(StoreTables.Namespaces, "one", new(default, [])), default);
        await db.CommitAsync(_ => true, default);
        Assert.True(disk.HasReserve);
        disk.IsFull = true;
        return db;
    }
}
