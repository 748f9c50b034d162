using ImageStore.Engine.Tests.Support;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Tests;

/// <summary>Collections beside pulls, names and removals, all in one process.</summary>
public sealed class CollectionTests : PullTest
{
    private const int Tags = 8;
    private const int Rounds = 40;

    [Fact]
    public async Task Collect_BesidePullsAndRemovals_EveryImageStaysWhole()
    {
        var bases = Enumerable.Range(0, 2).Select(i => ImageBuilder.Tar($"base{i}", 20_000 + i)).ToList();
        for (var i = 0; i < Tags; i++)
        {
            Registry.AddImage($"t{i}", bases[i % bases.Count], ImageBuilder.Tar($"own{i}", 5_000 + i));
        }

        await using var engine = await OpenAsync();
        using var over = new CancellationTokenSource();
        var collecting = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                await engine.CollectAsync(Ct);
            }
        });

        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var round = 0; round < Rounds; round++)
            {
                var reference = Reference($"t{random.Next(Tags)}");
                await PullAsync(engine, reference);
                if (random.Next(2) == 0)
                {
                    await ForgetAsync(engine, reference);
                }
            }
        })));
        await over.CancelAsync();
        await collecting;

        Assert.All(engine.Images.List(), image => Assert.True(
            engine.InspectAsync(image.Name, Ct).GetAwaiter().GetResult().Manifests.All(manifest => manifest.Complete), image.Name));
        foreach (var image in engine.Images.List())
        {
            // From what is stored alone: snapshots that are there have their parents.
            await engine.UnpackAsync(image.Name, null, null, new Distribution.Transfer.Progress.TransferProgress(), Ct);
            await engine.Images.RemoveAsync(image.Name, Ct);
        }

        await engine.CollectAsync(Ct);
        await AssertWholeAsync(engine);
        Assert.Empty(engine.Content.List());
        Assert.Empty(await Snapshots(engine));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(engine.Root, "content", "blobs", "sha256")));
    }

    private static async Task ForgetAsync(StoreEngine engine, string reference)
    {
        try
        {
            await engine.Images.RemoveAsync(reference, Ct);
        }
        catch (ImageStoreException absent) when (absent.Kind == ErrorKind.NotFound)
        {
            // Another worker was faster.
        }
    }
}
