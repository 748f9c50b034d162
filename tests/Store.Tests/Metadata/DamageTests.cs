using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Tests.Metadata;

/// <summary>Damages files that were whole: the rows are right, or one error says what is damaged.</summary>
public sealed class DamageTests
{
    private const int Cases = 150;
    private const long CheckpointBytes = 300_000;
    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(30);

    public static TheoryData<string, int> Kinds()
    {
        TheoryData<string, int> data = [];
        foreach (var kind in (string[])["flip", "burst", "zero", "cut", "grow", "swap"])
        {
            data.Add(kind, kind.Length);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Open_OfDamagedFiles_HasTheRightRowsOrTellsThatTheyAreDamaged(string kind, int seed)
    {
        var random = new Random(seed);
        var files = await FilesAsync(random);
        var expected = await DumpAsync(new CrashDisk(files), MetadataAccess.ReadOnly);
        var refused = 0;
        for (var i = 0; i < Cases; i++)
        {
            var what = $"{kind}, seed {seed}, case {i}";
            var damaged = files.ToDictionary(file => file.Key, file => file.Value.ToArray());
            var name = random.Next(2) == 0 ? MetadataDisk.Data : MetadataDisk.Log;
            damaged[name] = Damage(kind, damaged[name], random);
            foreach (var access in (MetadataAccess[])[MetadataAccess.ReadOnly, MetadataAccess.ReadWrite])
            {
                try
                {
                    var found = await DumpAsync(new CrashDisk(damaged), access).WaitAsync(s_hang);
                    Assert.True(expected == found, $"{what}: wrong rows from {name}.");
                }
                catch (ImageStoreException told)
                {
                    Assert.Equal(ErrorKind.CorruptData, told.Kind);
                    Assert.Contains(name, told.Message, StringComparison.Ordinal);
                    refused++;
                }
                catch (Exception other) when (other is not Xunit.Sdk.XunitException)
                {
                    throw new InvalidOperationException($"{what}: {other.Message}", other);
                }
            }
        }

        // A transaction that LiteDB left behind would end the process here.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.True(refused > 0 || kind == "grow");
    }

    [Fact]
    public async Task Open_WithTheLogOfAnEarlierTime_Tells()
    {
        var disk = new CrashDisk(new Dictionary<string, byte[]>());
        var log = Array.Empty<byte>();
        await using (var db = await OpenAsync(disk, MetadataAccess.ReadWrite))
        {
            var random = new Random(1);
            var work = new Workload(db, random);
            for (var i = 0; i < 60; i++)
            {
                await work.StepAsync(i);
                log = i == 1 ? disk.Files()[MetadataDisk.Log] : log;
            }
        }

        var files = disk.Files();
        files[MetadataDisk.Log] = log;
        var told = await Assert.ThrowsAsync<ImageStoreException>(() => DumpAsync(new CrashDisk(files), MetadataAccess.ReadWrite));
        Assert.Equal(ErrorKind.CorruptData, told.Kind);
        Assert.Contains("does not belong", told.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MetadataDisk.Log)]
    [InlineData(MetadataDisk.Data)]
    public async Task Open_WithoutOneOfTheFiles_TellsAndMakesNoNewOne(string name)
    {
        var files = await FilesAsync(new Random(2));
        files.Remove(name);
        foreach (var access in (MetadataAccess[])[MetadataAccess.ReadOnly, MetadataAccess.ReadWrite])
        {
            var disk = new CrashDisk(files);
            var told = await Assert.ThrowsAsync<ImageStoreException>(() => DumpAsync(disk, access));
            Assert.Equal(ErrorKind.CorruptData, told.Kind);
            Assert.Contains($"{name} is damaged: it is missing", told.Message, StringComparison.Ordinal);
            Assert.False(disk.Exists(name));
        }
    }

    [Theory]
    [InlineData(MetadataDisk.Log)]
    [InlineData(MetadataDisk.Data)]
    public async Task Open_OfAnEmptyFile_Tells(string name)
    {
        var files = await FilesAsync(new Random(3));
        files[name] = [];
        var told = await Assert.ThrowsAsync<ImageStoreException>(() => DumpAsync(new CrashDisk(files), MetadataAccess.ReadWrite));
        Assert.Equal(ErrorKind.CorruptData, told.Kind);
        Assert.Contains($"{name} is damaged: it is empty", told.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CommitAsync_OverAPageDamagedWhileOpen_TellsAndDoesNotHang()
    {
        var files = await FilesAsync(new Random(6));
        var (expected, refused) = (await DumpAsync(new CrashDisk(files), MetadataAccess.ReadOnly), 0);
        for (var at = FileHead.Bytes + 100; at < files[MetadataDisk.Data].Length; at += DataPages.PageBytes + sizeof(ulong))
        {
            var disk = new CrashDisk(files);
            await using var db = await OpenAsync(disk, MetadataAccess.ReadWrite);
            using (var file = disk.Open(MetadataDisk.Data, canWrite: true))
            {
                file.Write([(byte)~files[MetadataDisk.Data][at]], at);
            }

            try
            {
                Assert.Equal(expected, Workload.Dump(db));
                await new Workload(db, new Random(at)).StepAsync(at).WaitAsync(s_hang);
            }
            catch (ImageStoreException told)
            {
                Assert.Equal(ErrorKind.CorruptData, told.Kind);
                refused++;
            }
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.True(refused > 0);
    }

    [Fact]
    public async Task Open_OfPagesThatAreNotLiteDbs_Tells()
    {
        var disk = new CrashDisk(new Dictionary<string, byte[]>());
        var pages = new byte[3 * DataPages.PageBytes];
        new Random(7).NextBytes(pages);
        PageStore.Create(disk, pages);

        var told = await Assert.ThrowsAsync<ImageStoreException>(() => DumpAsync(disk, MetadataAccess.ReadWrite).WaitAsync(s_hang));
        Assert.Equal(ErrorKind.Internal, told.Kind);
        Assert.Contains("Opening the metadata in crash failed", told.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_AfterACrashAtCreation_MakesTheDatabase()
    {
        var files = await FilesAsync(new Random(4));
        Dictionary<string, byte[]> half = new() { [MetadataDisk.NewData] = files[MetadataDisk.Data][..5000], [MetadataDisk.Log] = [] };

        Assert.Empty(await DumpAsync(new CrashDisk(half), MetadataAccess.ReadOnly));
        Assert.Empty(await DumpAsync(new CrashDisk(half), MetadataAccess.ReadWrite));
    }

    [Theory]
    [InlineData(MetadataDisk.Log)]
    [InlineData(MetadataDisk.Data)]
    public async Task Open_OfANewerVersion_TellsAndChangesNothing(string name)
    {
        var disk = new CrashDisk(await FilesAsync(new Random(5)));
        using (var file = disk.Open(name, canWrite: true))
        {
            var bytes = new byte[56];
            file.Read(bytes, 0);
            bytes[8] = 3;
            System.IO.Hashing.XxHash3.Hash(bytes.AsSpan(0, 48)).AsSpan().CopyTo(bytes.AsSpan(48));
            bytes.AsSpan(48).Reverse();
            file.Write(bytes, 0);
        }

        var before = disk.Files();
        var told = await Assert.ThrowsAsync<ImageStoreException>(() => DumpAsync(disk, MetadataAccess.ReadWrite));
        Assert.Equal(ErrorKind.Unsupported, told.Kind);
        Assert.Contains("format 3", told.Message, StringComparison.Ordinal);
        Assert.Equal(before[name], disk.Files()[name]);
    }

    private static byte[] Damage(string kind, byte[] file, Random random)
    {
        var at = random.Next(file.Length);
        switch (kind)
        {
            case "flip":
                file[at] ^= (byte)(1 << random.Next(8));
                return file;
            case "burst":
                random.NextBytes(file.AsSpan(at, Math.Min(random.Next(1, 5000), file.Length - at)));
                return file;
            case "zero":
                file.AsSpan(at / 512 * 512, Math.Min(512, file.Length - (at / 512 * 512))).Clear();
                return file;
            case "cut":
                return file[..at];
            case "grow":
                var tail = new byte[random.Next(1, 20000)];
                random.NextBytes(tail);
                return [.. file, .. tail];
            default:
                // Two places of a file that are each whole, exchanged.
                var other = random.Next(file.Length);
                var count = Math.Min(random.Next(1, 9000), file.Length - Math.Max(at, other));
                var kept = file.AsSpan(at, count).ToArray();
                file.AsSpan(other, count).CopyTo(file.AsSpan(at));
                kept.CopyTo(file, other);
                return file;
        }
    }

    /// <summary>Files of which both have something to lose.</summary>
    private static async Task<Dictionary<string, byte[]>> FilesAsync(Random random)
    {
        var disk = new CrashDisk(new Dictionary<string, byte[]>());
        await using (var db = await OpenAsync(disk, MetadataAccess.ReadWrite))
        {
            var work = new Workload(db, random);
            for (var i = 0; i < 20 || disk.Files().Values.Min(file => file.Length) < 100_000; i++)
            {
                await work.StepAsync(i);
            }
        }

        var files = disk.Files();
        Assert.True(files[MetadataDisk.Data].Length > 100_000);
        return files;
    }

    private static async Task<string> DumpAsync(CrashDisk disk, MetadataAccess access)
    {
        await using var db = await OpenAsync(disk, access);
        return Workload.Dump(db);
    }

    private static Task<MetadataDb> OpenAsync(CrashDisk disk, MetadataAccess access) =>
        MetadataDb.OpenAsync(disk, access, CheckpointBytes, TimeSpan.Zero, default);
}
