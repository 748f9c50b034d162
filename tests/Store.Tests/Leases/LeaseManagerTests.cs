using ImageStore.Store.Errors;
using ImageStore.Store.Leases;
using ImageStore.Store.Metadata;
using ImageStore.Store.Tests.Metadata;

namespace ImageStore.Store.Tests.Leases;

public sealed class LeaseManagerTests : IAsyncLifetime
{
    private static readonly DateTimeOffset s_now = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly CrashDisk _disk = new(new Dictionary<string, byte[]>());
    private MetadataDb _db = null!;
    private LeaseManager _leases = null!;

    public async ValueTask InitializeAsync()
    {
        _db = await MetadataDb.OpenAsync(_disk, MetadataAccess.ReadWrite, LiteFile.CheckpointBytes, TimeSpan.Zero, default);
        _leases = Of("default");
    }

    public ValueTask DisposeAsync() => _db.DisposeAsync();

    [Fact]
    public async Task CreateAsync_WithLifetime_SaysWhenItExpires()
    {
        var lease = await _leases.CreateAsync("pull-1", TimeSpan.FromHours(24), Labels.None, default);

        Assert.Equal("2030-01-03T03:04:05Z", lease.Labels[Labels.Expire]);
        Assert.Equal(s_now, lease.CreatedAt);
        Assert.Equal("2030-01-03T03:04:05Z", Assert.Single(_leases.List()).Labels[Labels.Expire]);
    }

    [Fact]
    public async Task CreateAsync_WithoutLifetime_NeverExpires()
    {
        var lease = await _leases.CreateAsync("kept", null, new Dictionary<string, string> { ["a"] = "b" }, default);

        Assert.Equal([KeyValuePair.Create("a", "b")], lease.Labels);
    }

    [Theory]
    [InlineData("/run/mount/a")]
    [InlineData("a%2Fb%25")]
    [InlineData("-a b")]
    public async Task CreateAsync_OfAnyPrintableId_FindsListsAndDeletesIt(string id)
    {
        var lease = await _leases.CreateAsync(id, null, Labels.None, default);
        await _leases.AddAsync(lease, new LeaseResource("ingests", "x/y:z"), default);

        Assert.Equal(id, Assert.Single(_leases.List()).Id);
        Assert.Equal(id, _leases.Find(id)?.Id);
        Assert.Equal(new LeaseResource("ingests", "x/y:z"), Assert.Single(_leases.Resources(id)));
        await _leases.RemoveAsync(id, new LeaseResource("ingests", "x/y:z"), default);
        Assert.Empty(_leases.Resources(id));
        Assert.True(await _leases.DeleteAsync(id, default));
        Assert.False(await _leases.DeleteAsync(id, default));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    public async Task CreateAsync_WithALifetimeThatIsNone_IsRefused(long ticks)
    {
        var told = await Assert.ThrowsAsync<ImageStoreException>(
            () => _leases.CreateAsync("l", TimeSpan.FromTicks(ticks), Labels.None, default));
        Assert.Equal(ErrorKind.InvalidArgument, told.Kind);
    }

    [Fact]
    public async Task CreateAsync_OfTheSameIdAtOnce_MakesOne()
    {
        var tries = Enumerable.Range(0, 10).Select(_ => _leases.CreateAsync("one", null, Labels.None, default)).ToList();
        var kinds = new List<ErrorKind>();
        foreach (var attempt in tries)
        {
            try
            {
                await attempt;
            }
            catch (ImageStoreException told)
            {
                kinds.Add(told.Kind);
            }
        }

        Assert.Equal(Enumerable.Repeat(ErrorKind.AlreadyExists, 9), kinds);
        Assert.Single(_leases.List());
    }

    [Theory]
    [InlineData("")]
    [InlineData(" a")]
    [InlineData("a ")]
    [InlineData("a\n")]
    public async Task CreateAsync_OfAMalformedId_IsRefused(string id)
    {
        var told = await Assert.ThrowsAsync<ImageStoreException>(() => _leases.CreateAsync(id, null, Labels.None, default));
        Assert.Equal(ErrorKind.InvalidArgument, told.Kind);
        Assert.Contains("lease", told.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddAsync_ToALeaseThatIsGone_IsRefused()
    {
        var lease = await _leases.CreateAsync("l", null, Labels.None, default);
        await _leases.AddAsync(lease, new LeaseResource("content", "sha256:1"), default);
        await _leases.DeleteAsync("l", default);
        await _leases.DeleteAsync("l", default);

        var told = await Assert.ThrowsAsync<ImageStoreException>(
            () => _leases.AddAsync(lease, new LeaseResource("content", "sha256:2"), default));
        Assert.Equal(ErrorKind.FailedPrecondition, told.Kind);
        await _leases.CreateAsync("l", null, Labels.None, default);
        Assert.Empty(_leases.Resources("l"));
    }

    [Fact]
    public async Task AddAsync_OfResources_KeepsThemApart()
    {
        var lease = await _leases.CreateAsync("l", null, Labels.None, default);
        await _leases.CreateAsync("l2", null, Labels.None, default);
        await _leases.AddAsync(lease, new LeaseResource("content", "x:y"), default);
        await _leases.AddAsync(lease, new LeaseResource("content", "x:y"), default);
        await _leases.AddAsync(lease, new LeaseResource("snapshots/overlayfs", "x"), default);

        var told = await Assert.ThrowsAsync<ImageStoreException>(
            () => _leases.AddAsync(lease, new LeaseResource("content:x", "y"), default));
        Assert.Equal(ErrorKind.InvalidArgument, told.Kind);
        Assert.Equal([new("content", "x:y"), new("snapshots/overlayfs", "x")], _leases.Resources("l"));
        Assert.Empty(_leases.Resources("l2"));
        Assert.Empty(_leases.Resources("unknown"));
    }

    [Fact]
    public async Task Leases_OfTwoNamespaces_AreApart()
    {
        var other = Of("default-2");
        var lease = await _leases.CreateAsync("l", null, Labels.None, default);
        await other.CreateAsync("l", null, Labels.None, default);
        await _leases.AddAsync(lease, new LeaseResource("content", "sha256:1"), default);

        var told = await Assert.ThrowsAsync<ImageStoreException>(
            () => other.AddAsync(lease, new LeaseResource("content", "sha256:2"), default));
        Assert.Equal(ErrorKind.InvalidArgument, told.Kind);
        Assert.Empty(other.Resources("l"));
        await other.DeleteAsync("l", default);
        Assert.Single(_leases.List());
        Assert.Single(_leases.Resources("l"));
    }

    private LeaseManager Of(string ns) => new(_db, ns, new StoppedClock());

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => s_now;
    }
}
