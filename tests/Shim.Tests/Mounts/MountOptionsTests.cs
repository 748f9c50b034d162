using ImageStore.Shim.Mounts;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Tests.Mounts;

public sealed class MountOptionsTests
{
    [Fact]
    public void Parse_TakesFlagsPropagationAndDataApart()
    {
        var options = MountOptions.Parse(["ro", "rbind", "rprivate", "lowerdir=/a:/b", "index=off", "nodev", "dev"]);
        Assert.Equal((1ul | 4096 | 16384, (1ul << 18) | 16384), (options.Flags, options.Propagation));
        Assert.Equal(["lowerdir=/a:/b", "index=off"], options.Data);
    }

    [Theory]
    [InlineData("loop")]
    [InlineData("uidmap=0:1000:1")]
    public void Parse_WhatIsNotDoneHere_IsRefused(string option) =>
        Assert.Equal(ErrorKind.Unsupported, Assert.Throws<ImageStoreException>(() => MountOptions.Parse([option])).Kind);

    [Theory]
    [InlineData("/a/b", "/a/b/c", "/a/b/d")]
    [InlineData("/", "/a/1", "/b/1")]
    [InlineData("/a", "/a/x/1", "/a/xy/1")]
    public void CommonDirectory_IsAboveAll(string expected, params string[] paths) => Assert.Equal(expected, OverlayLayers.CommonDirectory(paths));
}
