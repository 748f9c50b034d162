using ImageStore.Runtime.Mounts;

namespace ImageStore.Runtime.Tests.Mounts;

public sealed class MountInfoTests
{
    [Fact]
    public void Below_FindsWhatIsThereAndUnder_TheLatestFirst() => Assert.Equal(
        ["/b/rootfs/with space", "/b/rootfs"],
        MountInfo.Below("/b/rootfs",
        [
            "1 0 0:1 / / rw - ext4 /dev/vda rw",
            "2 1 0:2 / /b/rootfs rw,relatime - overlay overlay rw",
            "3 1 0:2 / /b/rootfs2 rw,relatime - overlay overlay rw",
            @"4 2 0:3 / /b/rootfs/with\040space rw - tmpfs tmpfs rw",
        ]));
}
