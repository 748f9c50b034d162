using ImageStore.Snapshotters.Layers.Gzip;
using ImageStore.Store;

namespace ImageStore.Snapshotters.Tests.Layers.Gzip;

public sealed class IsalGzipStreamTests : GzipStreamSuite
{
    public IsalGzipStreamTests() => Assert.SkipUnless(IsalLibrary.IsUsable, "needs libisal2");

    internal override ReadOnlyStream Open(Stream compressed) => new IsalGzipStream(compressed);
}
