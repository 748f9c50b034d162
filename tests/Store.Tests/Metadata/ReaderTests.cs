using System.Diagnostics;
using System.Globalization;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Tests.Metadata;

/// <summary>Readers beside a writer, on real files.</summary>
public sealed class ReaderTests : IDisposable
{
    private const long CheckpointBytes = 100_000;
    private const int Openings = 40;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imagestore-readers-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Open_ForReadingBesideAWriter_SeesTheStateOfItsOpening()
    {
        await using var writer = await WriteAsync();
        var work = new Workload(writer, new Random(1));
        await work.StepAsync(0);
        var before = Workload.Dump(writer);
        var reader = await ReadAsync();
        for (var i = 1; i < 40; i++)
        {
            await work.StepAsync(i);
        }

        // While somebody reads, no page is moved under them; it is when they are gone.
        Assert.Equal(before, Workload.Dump(reader));
        Assert.True(Length(MetadataDisk.Log) > 2 * CheckpointBytes);
        await using (var second = await ReadAsync())
        {
            Assert.Equal(Workload.Dump(writer), Workload.Dump(second));
        }

        await reader.DisposeAsync();
        for (var i = 40; i < 80 && Length(MetadataDisk.Log) > CheckpointBytes; i++)
        {
            await work.StepAsync(i);
        }

        Assert.True(Length(MetadataDisk.Log) <= CheckpointBytes);
        await using var last = await ReadAsync();
        Assert.Equal(Workload.Dump(writer), Workload.Dump(last));
    }

    [Fact]
    public async Task Open_ForReadingBesideAnotherProcessThatWrites_SeesWholeCommits()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        start.Environment[CommittingChild.Variable] = _directory.FullName;
        using var child = Process.Start(start)!;
        try
        {
            var told = new int[CommittingChild.Tasks * CommittingChild.SlotsPerTask];
            for (var i = 0; i < Openings; i++)
            {
                for (var line = 0; line < 5; line++)
                {
                    var parts = (await child.StandardOutput.ReadLineAsync())!.Split(' ');
                    told[int.Parse(parts[0], CultureInfo.InvariantCulture)] = int.Parse(parts[1], CultureInfo.InvariantCulture);
                }

                await using var db = await MetadataDb.OpenAsync(_directory.FullName, MetadataAccess.ReadOnly, default);
                for (var slot = 0; slot < told.Length; slot++)
                {
                    var value = CommittingChild.ValueOf(db.Get(StoreTables.Images, $"default/s{slot}")?.Labels);
                    Assert.Equal(value, CommittingChild.ValueOf(db.Get(StoreTables.Leases, $"default/s{slot}")?.Labels));
                    Assert.True(value >= told[slot], $"Slot {slot} has {value}, and {told[slot]} was told.");
                }
            }

            var refused = await Assert.ThrowsAsync<ImageStoreException>(WriteAsync);
            Assert.Equal(ErrorKind.FailedPrecondition, refused.Kind);
            Assert.Contains("Another process writes", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            child.Kill();
            await child.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task Open_OfTheSameDatabaseByASecondWriter_IsRefusedUntilTheFirstEnds()
    {
        var first = await WriteAsync();
        Assert.Equal(ErrorKind.FailedPrecondition, (await Assert.ThrowsAsync<ImageStoreException>(WriteAsync)).Kind);
        await first.DisposeAsync();
        await first.DisposeAsync();
        await (await WriteAsync()).DisposeAsync();
    }

    [Fact]
    public async Task Open_ForReadingOfAReadOnlyFilesystem_Reads()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting needs root");
        await using (var writer = await WriteAsync())
        {
            await new Workload(writer, new Random(1)).StepAsync(0);
        }

        var path = _directory.FullName;
        Assert.SkipUnless(Run("mount", "--bind", path, path) && Run("mount", "-o", "remount,ro,bind", path), "mount is refused here");
        try
        {
            await using (var reader = await ReadAsync())
            {
                Assert.NotEmpty(Workload.Dump(reader));
            }

            var told = await Assert.ThrowsAsync<ImageStoreException>(WriteAsync);
            Assert.Equal(ErrorKind.FailedPrecondition, told.Kind);
            Assert.Contains("Remount", told.Remedy, StringComparison.Ordinal);
        }
        finally
        {
            Assert.True(Run("umount", path));
        }
    }

    [Fact]
    public async Task Get_OfARowThatIsNotUnderstood_TellsWhich()
    {
        var table = new MetadataTable<string>(StoreTables.Images.Name, Texts.Default.String);
        await using (var writer = await WriteAsync())
        {
            await writer.CommitAsync(tx => tx.Put(table, "default/newer", "not a row"), default);
        }

        await using var reader = await ReadAsync();
        var told = Assert.Throws<ImageStoreException>(() => reader.Get(StoreTables.Images, "default/x"));
        Assert.Equal(ErrorKind.Unsupported, told.Kind);
        Assert.Contains("default/newer", told.Message, StringComparison.Ordinal);
        Assert.Null(reader.Get(StoreTables.Leases, "default/x"));
    }

    [Theory]
    [InlineData(0, 8192)]
    [InlineData(8192, 8192)]
    [InlineData(int.MaxValue - 4095L, int.MaxValue + 4097L)]
    [InlineData((1L << 32) - 8192, 1L << 32)]
    [InlineData((5L << 32) - 8192, (5L << 32) + 81920)]
    public void LengthOf_OfALogBeyondWhatLiteDbTells_IsWhole(long written, long length) =>
        Assert.Equal(length, LogStream.LengthOf(written, unchecked((int)length)));

    private static bool Run(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private long Length(string name) => new FileInfo(Path.Combine(_directory.FullName, name)).Length;

    private Task<MetadataDb> WriteAsync() => MetadataDb.OpenAsync(
        MetadataFiles.OpenForWriting(_directory.FullName), MetadataAccess.ReadWrite, CheckpointBytes, TimeSpan.Zero, default);

    private Task<MetadataDb> ReadAsync() => MetadataDb.OpenAsync(_directory.FullName, MetadataAccess.ReadOnly, default);
}
