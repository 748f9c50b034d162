using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Serving;
using ImageStore.Engine.Tests.Support;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Namespaces;

namespace ImageStore.Engine.Tests.Serving;

public sealed class ServedTransfersTests : PullTest
{
    private const int Quota = 300_000;

    [Fact]
    public async Task Import_OfAnArchiveBeyondTheQuota_IsRefusedWhileItArrives()
    {
        await using var store = await ServedStore.OpenAsync(Options(), In("sock"), failure => Assert.Fail(failure.ToString()), Ct);
        await store.Namespaces.EnsureAsync("ns", Ct);
        await store.Namespaces.SetQuotaAsync("ns", new NamespaceQuota(Quota, null), Ct);
        using var archive = new MemoryStream(new byte[50 * Quota]);

        var refused = await Assert.ThrowsAsync<ImageStoreException>(() => store.Transfers("ns").ImportAsync(
            archive, _ => ["a"], new ImageDestination(string.Empty, Labels.None, [], []), new TransferProgress(), Ct));

        Assert.Equal(ErrorKind.NoSpace, refused.Kind);
        Assert.InRange(archive.Position, 1, 10 * Quota);
    }

    [Fact]
    public async Task Import_OfAnArchiveOfMostOfTheQuota_DoesNotCountTwice()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", Quota * 6 / 10));
        await using var store = await ServedStore.OpenAsync(Options(), In("sock"), failure => Assert.Fail(failure.ToString()), Ct);
        var image = new ImageDestination("a", Labels.None, [], []);
        await store.Namespaces.EnsureAsync("from", Ct);
        await store.Transfers("from").PullAsync(Reference(), image, store.Registry, new TransferProgress(), Ct);
        using var archive = new MemoryStream();
        await store.Transfers("from").ExportAsync(archive, ["a"], [], new TransferProgress(), Ct);
        archive.Position = 0;
        await store.Namespaces.EnsureAsync("ns", Ct);
        await store.Namespaces.SetQuotaAsync("ns", new NamespaceQuota(Quota, null), Ct);

        var brought = await store.Transfers("ns").ImportAsync(archive, _ => ["b"], image, new TransferProgress(), Ct);

        Assert.Equal("b", Assert.Single(brought).Name);
    }
}
