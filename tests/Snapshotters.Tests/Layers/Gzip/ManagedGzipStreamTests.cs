using ImageStore.Snapshotters.Layers.Gzip;
using ImageStore.Store;

namespace ImageStore.Snapshotters.Tests.Layers.Gzip;

public sealed class ManagedGzipStreamTests : GzipStreamSuite
{
    internal override ReadOnlyStream Open(Stream compressed) => new ManagedGzipStream(compressed);
}
