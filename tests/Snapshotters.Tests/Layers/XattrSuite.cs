using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>Which extended attributes of a layer a file gets.</summary>
public abstract class XattrSuite : IDisposable
{
    private readonly StackBench _bench;

    protected XattrSuite(LayerBench bench) => _bench = new StackBench(bench);

    public void Dispose()
    {
        _bench.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData("com.apple.provenance")]
    [InlineData("nowhere")]
    [InlineData("trusted.overlay.redirect")]
    [InlineData("user.overlay.whiteout")]
    public void Add_WhatNoFileHere_IsLeftOut(string name)
    {
        _bench.Add(RawTar.Pax('x', $"SCHILY.xattr.{name}=1", "SCHILY.xattr.user.kept=2"), RawTar.Entry("f", '0', []));

        Assert.Equal("user.kept=2", StackBench.Xattrs(_bench.Top, "f"));
    }

    [Fact]
    public void Add_EachNamespace_IsKept()
    {
        _bench.Add(
            RawTar.Pax('x', "SCHILY.xattr.user.a=1", "SCHILY.xattr.trusted.b=2", "SCHILY.xattr.security.c=\n\0"), RawTar.Entry("f", '0', []),
            RawTar.Pax('x', "SCHILY.xattr.user.a=1", "SCHILY.xattr.trusted.b=2"), RawTar.Entry("p", '6', []),
            RawTar.Pax('x', "SCHILY.xattr.user.a=1", "SCHILY.xattr.trusted.b=2"), RawTar.Entry("l", '2', [], "f"),
            RawTar.Pax('x', "SCHILY.xattr.user.a=1"), RawTar.Entry("d", '5', []));

        Assert.Equal("security.c=\n\0;trusted.b=2;user.a=1", StackBench.Xattrs(_bench.Tree, "f"));
        Assert.Equal("trusted.b=2", StackBench.Xattrs(_bench.Tree, "p"));
        Assert.Equal("trusted.b=2", StackBench.Xattrs(_bench.Tree, "l"));
        Assert.Equal("user.a=1", StackBench.Xattrs(_bench.Tree, "d"));
    }

    [Theory]
    [InlineData("user.")]
    [InlineData("system.posix_acl_default")]
    [InlineData("system.posix_acl_access")]
    [InlineData("security.capability")]
    [InlineData("trusted.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void Add_WhatTheKernelRefuses_CorruptData(string name) =>
        Assert.Equal(ErrorKind.CorruptData, _bench.Refuses(RawTar.Pax('x', $"SCHILY.xattr.{name}=1"), RawTar.Entry("f", '0', [])).Kind);

    [Fact]
    public void Add_CapabilityAndSetuid_OutliveTheOwner()
    {
        const string Capability = "\u0001\0\0\u0002\0\u0004\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        _bench.Add(
            RawTar.Pax('x', "SCHILY.xattr.security.capability=" + Capability),
            RawTar.Entry("f", '0', [], fields: [(100, "0006755"u8.ToArray()), (108, RawTar.Octal(1000, 7))]));

        Assert.Equal("security.capability=" + Capability, StackBench.Xattrs(_bench.Tree, "f"));
        Assert.Equal((0xDEDU, 1000U), (StackBench.Stat(_bench.Tree, "f").Permissions, StackBench.Stat(_bench.Tree, "f").Uid));
    }
}
