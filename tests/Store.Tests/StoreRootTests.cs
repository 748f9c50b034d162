using System.Text;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Tests;

public sealed class StoreRootTests : IDisposable
{
    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("imagestore-root-");

    private string Root => Path.Combine(_parent.FullName, "a", "root");

    public void Dispose() => _parent.Delete(recursive: true);

    [Fact]
    public async Task OpenAsync_OfADirectoryThatIsNotThere_MakesItForItsOwnerAlone()
    {
        await using (var root = await OpenAsync(MetadataAccess.ReadWrite))
        {
            await root.Namespaces.EnsureAsync("default", default);
        }

        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Root));
        await using var reader = await OpenAsync(MetadataAccess.ReadOnly);
        Assert.Equal(["default"], reader.Namespaces.List().Select(ns => ns.Name));
    }

    [Fact]
    public async Task OpenAsync_ForReadingOfADirectoryThatIsNotThere_IsEmptyAndMakesNothing()
    {
        await using var root = await OpenAsync(MetadataAccess.ReadOnly);

        Assert.Empty(root.Namespaces.List());
        Assert.False(Directory.Exists(Root));
        await Assert.ThrowsAsync<InvalidOperationException>(() => root.Namespaces.EnsureAsync("default", default));
    }

    [Theory]
    [InlineData(MetadataAccess.ReadOnly)]
    [InlineData(MetadataAccess.ReadWrite)]
    public async Task OpenAsync_OfADirectoryWithOtherThings_IsRefused(MetadataAccess access)
    {
        Directory.CreateDirectory(Root);
        await File.WriteAllTextAsync(Path.Combine(Root, "letter.txt"), "mine", TestContext.Current.CancellationToken);

        var told = await Assert.ThrowsAsync<ImageStoreException>(() => OpenAsync(access));
        Assert.Equal(ErrorKind.FailedPrecondition, told.Kind);
        Assert.Contains("letter.txt", told.Message, StringComparison.Ordinal);
        Assert.Single(Directory.GetFileSystemEntries(Root));
    }

    [Fact]
    public async Task OpenAsync_OfAnEmptyDirectoryOrFreshFilesystem_IsTaken()
    {
        Directory.CreateDirectory(Path.Combine(Root, "lost+found"));

        await (await OpenAsync(MetadataAccess.ReadWrite)).DisposeAsync();
        await (await OpenAsync(MetadataAccess.ReadWrite)).DisposeAsync();
    }

    [Theory]
    [InlineData(MetadataAccess.ReadOnly)]
    [InlineData(MetadataAccess.ReadWrite)]
    public async Task OpenAsync_OfAFile_IsRefused(MetadataAccess access)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Root)!);
        await File.WriteAllTextAsync(Root, "mine", TestContext.Current.CancellationToken);

        var told = await Assert.ThrowsAsync<ImageStoreException>(() => OpenAsync(access));
        Assert.Equal(ErrorKind.InvalidArgument, told.Kind);
    }

    [Fact]
    public async Task OpenAsync_OfMetadataThatIsNone_TellsWhichFile()
    {
        Directory.CreateDirectory(Path.Combine(Root, "metadata"));
        await File.WriteAllTextAsync(
            Path.Combine(Root, "metadata", MetadataDisk.Data), "something else", TestContext.Current.CancellationToken);

        foreach (var access in (MetadataAccess[])[MetadataAccess.ReadOnly, MetadataAccess.ReadWrite])
        {
            var told = await Assert.ThrowsAsync<ImageStoreException>(() => OpenAsync(access));
            Assert.Equal(ErrorKind.CorruptData, told.Kind);
            Assert.Contains(Path.Combine(Root, "metadata", MetadataDisk.Data), told.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task OpenAsync_WhereNothingCanBeMade_TellsThePath()
    {
        const string path = "/proc/self/imagestore";
        var told = await Assert.ThrowsAsync<ImageStoreException>(
            () => StoreRoot.OpenAsync(path, new StoreOptions(), default));
        Assert.Contains(path, told.Message, StringComparison.Ordinal);
        Assert.NotNull(told.Remedy);
    }

    [Fact]
    public async Task OpenAsync_OfADirectoryThatMayNotBeRead_IsNoEmptyRoot()
    {
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "root may read everything");
        await (await OpenAsync(MetadataAccess.ReadWrite)).DisposeAsync();
        foreach (var path in (string[])[Path.Combine(Root, "metadata"), Root])
        {
            var mode = File.GetUnixFileMode(path);
            File.SetUnixFileMode(path, UnixFileMode.None);
            var told = await Assert.ThrowsAsync<ImageStoreException>(() => OpenAsync(MetadataAccess.ReadOnly));
            File.SetUnixFileMode(path, mode);
            Assert.Equal(ErrorKind.PermissionDenied, told.Kind);
        }
    }

    [Fact]
    public async Task OpenAsync_OfARootInUse_NamesItsHolder()
    {
        await using var root = await OpenAsync(MetadataAccess.ReadWrite);

        var told = await Assert.ThrowsAsync<ImageStoreException>(() => OpenAsync(MetadataAccess.ReadWrite));
        Assert.Equal(ErrorKind.FailedPrecondition, told.Kind);
        Assert.Contains($"(process {Environment.ProcessId})", told.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenAsync_OfARootInUseWithSomebodyToTell_WaitsForIt()
    {
        var root = await OpenAsync(MetadataAccess.ReadWrite);
        TaskCompletionSource<string> told = new();
        var second = StoreRoot.OpenAsync(Root, new StoreOptions { OnWait = told.SetResult }, default);
        Assert.Contains($"(process {Environment.ProcessId})", await told.Task, StringComparison.Ordinal);
        Assert.False(second.IsCompleted);
        await root.DisposeAsync();
        await (await second).DisposeAsync();
    }

    [Fact]
    public async Task OpenAsync_OfARootInUse_EndsWithItsCancellation()
    {
        await using var root = await OpenAsync(MetadataAccess.ReadWrite);
        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => StoreRoot.OpenAsync(Root, new StoreOptions { OnWait = _ => source.Cancel() }, source.Token));
    }

    [Fact]
    public async Task OpenAsync_OfARootWhoseHolderLeftItsName_TakesIt()
    {
        await (await OpenAsync(MetadataAccess.ReadWrite)).DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(Root, "lock"), new string('x', 300) + " (process 1)", TestContext.Current.CancellationToken);

        await using var root = await OpenAsync(MetadataAccess.ReadWrite);
        Assert.EndsWith($"(process {Environment.ProcessId})", Lock(), StringComparison.Ordinal);
    }

    private string Lock()
    {
        // File.ReadAllText would take a lock itself, and fail on ours.
        using var handle = Interop.KernelFile.OpenLockFile(Path.Combine(Root, "lock"));
        var buffer = new byte[512];
        return Encoding.UTF8.GetString(buffer, 0, RandomAccess.Read(handle, buffer, 0));
    }

    private Task<StoreRoot> OpenAsync(MetadataAccess access) =>
        StoreRoot.OpenAsync(Root, new StoreOptions { Access = access }, default);
}
