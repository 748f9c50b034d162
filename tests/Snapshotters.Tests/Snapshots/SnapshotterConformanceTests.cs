using ImageStore.Conformance;

namespace ImageStore.Snapshotters.Tests.Snapshots;

public sealed class OverlayConformanceTests : SnapshotterSuite
{
    protected override string Kind => "overlayfs";

    protected override int DeepChain => 130;
}

public sealed class NativeConformanceTests : SnapshotterSuite
{
    protected override string Kind => "native";

    protected override int DeepChain => 45;
}

public sealed class ErofsConformanceTests : SnapshotterSuite
{
    protected override string Kind => "erofs";

    protected override int DeepChain => 130;
}
