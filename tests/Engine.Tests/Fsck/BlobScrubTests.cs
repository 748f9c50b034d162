using ImageStore.Engine.Fsck;
using ImageStore.Engine.Tests.Support;
using ImageStore.Store;
using ImageStore.Store.Metadata;
using Microsoft.Extensions.Time.Testing;

namespace ImageStore.Engine.Tests.Fsck;

public sealed class BlobScrubTests : PullTest
{
    [Fact]
    public async Task Run_StoppedAndResumed_ReadsEachBlobOnce_InAll()
    {
        await FilledAsync();
        await using var root = await ReadAsync();
        var all = root.BlobFiles().Count();
        var read = 0;
        for (var runs = 0; ; runs++)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            var scrub = new BlobScrub(root, new FsckOptions { Resume = true }, TimeProvider.System, new Stopper(stop, 3));
            try
            {
                await scrub.RunAsync(stop.Token);
                read += scrub.Verified.Blobs;
                Assert.True(scrub.IsComplete);
                Assert.True(runs > 2);
                break;
            }
            catch (OperationCanceledException)
            {
                read += scrub.Verified.Blobs;
            }
        }

        // What two read at once when it was stopped may be read again by the next.
        Assert.InRange(read, all, all + 20);
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
