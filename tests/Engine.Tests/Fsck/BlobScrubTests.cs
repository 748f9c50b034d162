using ImageStore.Engine.Fsck;
using ImageStore.Engine.Tests.Support;
using ImageStore.Store;
using ImageStore.Store.Metadata;
using Microsoft.Extensions.Time.Testing;

namespace ImageStore.Engine.Tests.Fsck;

public sealed class BlobScrubTests : PullTest
{
    [Fact]
    public async Task Run_Stopped_GoesOnBehindWhatItHadReadWithoutAGap()
    {
        await FilledAsync();
        await using var root = await ReadAsync();
        var names = root.BlobFiles().Select(file => file.Digest.ToString()).ToList();
        string? cursor = null;
        for (var runs = 0; ; runs++)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            var scrub = new BlobScrub(root, new FsckOptions { Resume = true }, TimeProvider.System, new Stopper(stop, 3));
            var left = names.Count(name => string.CompareOrdinal(name, cursor) > 0);
            try
            {
                await scrub.RunAsync(stop.Token);
                Assert.True(runs > 2);
                Assert.True(scrub.IsComplete);
                Assert.Equal(left, scrub.Verified.Blobs);
                break;
            }
            catch (OperationCanceledException)
            {
                var after = ScrubState.Load(Root)!.Cursor;
                Assert.True(string.CompareOrdinal(after, cursor) >= 0);
                Assert.InRange(names.Count(name => string.CompareOrdinal(name, after) > 0), left - scrub.Verified.Blobs, left);
                cursor = after;
            }
        }

        Assert.Null(ScrubState.Load(Root)!.Cursor);
    }

    [Fact]
    public async Task Run_WithARate_TakesAsLongAsTheBytesMay()
    {
        var time = new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.Zero };
        var pace = new ReadPace(1000, time);
        await pace.SpendAsync(0, Ct);
        var first = pace.SpendAsync(500, Ct).AsTask();
        var second = pace.SpendAsync(1500, Ct).AsTask();

        time.Advance(TimeSpan.FromMilliseconds(499));
        Assert.False(first.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await first;
        Assert.False(second.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1500));
        await second;
    }

    [Fact]
    public async Task Run_WithADamagedStateFile_BeginsAnew()
    {
        await FilledAsync();
        await File.WriteAllTextAsync(Path.Combine(Root, "scrub.json"), "{", Ct);
        await using var root = await ReadAsync();
        var scrub = new BlobScrub(root, new FsckOptions { Resume = true }, TimeProvider.System, null);

        await scrub.RunAsync(Ct);

        Assert.Equal(root.BlobFiles().Count(), scrub.Verified.Blobs);
    }

    private async Task FilledAsync()
    {
        Registry.AddImage("latest", [.. Enumerable.Range(0, 30).Select(i => ImageBuilder.Tar($"{i}", 1000 + i))]);
        await PullAsync();
    }

    private Task<StoreRoot> ReadAsync() => StoreRoot.OpenAsync(Root, new StoreOptions { Access = MetadataAccess.ReadOnly }, Ct);

    /// <summary>Stops after some reads.</summary>
    private sealed class Stopper(CancellationTokenSource stop, int after) : IProgress<FsckProgress>
    {
        private int _reads;

        public void Report(FsckProgress value)
        {
            if (Interlocked.Increment(ref _reads) == after)
            {
                stop.Cancel();
            }
        }
    }
}
