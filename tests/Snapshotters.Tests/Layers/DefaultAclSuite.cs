using System.Text;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Trees;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>A directory's default ACL is for what a container makes in it, never for what layers bring: that has what its entry says.</summary>
public abstract class DefaultAclSuite : IDisposable
{
    private const string Default = "system.posix_acl_default";

    // Version 2; owner, user 1000, group, mask and others, each with a tag, permissions and an id.
    private static readonly byte[] s_acl =
    [
        2, 0, 0, 0,
        1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 7, 0, 0xe8, 3, 0, 0, 4, 0, 5, 0, 255, 255, 255, 255,
        0x10, 0, 7, 0, 255, 255, 255, 255, 0x20, 0, 5, 0, 255, 255, 255, 255,
    ];

    private readonly StackBench _bench;

    protected DefaultAclSuite(LayerBench bench)
    {
        _bench = new StackBench(bench);
        var directory = _bench.Make("probe");
        using var handle = OpenAt.HostDirectory(directory);
        Assert.SkipUnless(Xattr.TrySet(handle, ".\0"u8, RootedPath.Name(Default), s_acl, "probe") == XattrResult.Set, "needs a file system with ACLs");
    }

    public void Dispose()
    {
        _bench.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Add_DefaultAclInTheSameLayer_IsNotInherited()
    {
        _bench.Add(
            WithAcl(), RawTar.Entry("d", '5', []), RawTar.Entry("d/f", '0', []), RawTar.Entry("d/e", '5', []), RawTar.Entry("d/p", '6', []),
            RawTar.Entry("d/implied/f", '0', []));

        foreach (var tree in new[] { _bench.Top, _bench.Tree })
        {
            Assert.Equal($"{Default}={Encoding.Latin1.GetString(s_acl)}", StackBench.Xattrs(tree, "d"));
            Assert.All(new[] { "d/f", "d/e", "d/p", "d/implied", "d/implied/f" }, path => Assert.Equal("", StackBench.Xattrs(tree, path)));
            Assert.Equal(0x1A4U, StackBench.Stat(tree, "d/f").Permissions);
            Assert.Equal(0x1A4U, StackBench.Stat(tree, "d/p").Permissions);
        }
    }

    [Fact]
    public void Add_DefaultAclOfALowerLayer_IsNotInherited()
    {
        _bench.Add(RawTar.Entry("target", '0', []), WithAcl(), RawTar.Entry("d", '5', []), RawTar.Entry("d/t", '0', []), WithAcl(), RawTar.Entry("d/e", '5', []), RawTar.Entry("d/e/u", '0', []));
        _bench.Add(
            RawTar.Entry("d/f", '0', []), RawTar.Entry("d/new/f", '0', []), RawTar.Entry("d/l", '1', [], "target"), RawTar.Entry("m", '1', [], "d/t"),
            RawTar.Entry("n", '1', [], "d/e/u"), RawTar.Entry("d/o", '5', []));

        Assert.Equal($"{Default}={Encoding.Latin1.GetString(s_acl)}", StackBench.Xattrs(_bench.Top, "d"));
        foreach (var tree in new[] { _bench.Top, _bench.Tree })
        {
            Assert.All(
                new[] { "d/f", "d/new", "d/new/f", "d/l", "target", "d/t", "m", "d/e/u", "d/o" }, path => Assert.Equal("", StackBench.Xattrs(tree, path)));
            Assert.Equal(0x1A4U, StackBench.Stat(tree, "m").Permissions);
        }
    }

    [Fact]
    public void Add_AccessAclThatSaysMoreThanTheMode_TheModeHolds()
    {
        _bench.Add(
            RawTar.Pax('x', $"SCHILY.xattr.system.posix_acl_access={Encoding.Latin1.GetString(s_acl)}"), RawTar.Entry("f", '0', []),
            RawTar.Pax('x', $"SCHILY.xattr.system.posix_acl_access={Encoding.Latin1.GetString(s_acl)}"), RawTar.Entry("d", '5', []));

        Assert.All(new[] { "f", "d" }, path => Assert.Equal(0x1A4U, StackBench.Stat(_bench.Tree, path).Permissions));
    }

    [Fact]
    public void Add_EntryAgainWithoutTheAcl_KeepsIt()
    {
        _bench.Add(WithAcl(), RawTar.Entry("d", '5', []), RawTar.Entry("d", '5', []));

        Assert.StartsWith(Default, StackBench.Xattrs(_bench.Top, "d"), StringComparison.Ordinal);
    }

    [Fact]
    public void Add_DirectoryRemovedAndMadeAgain_HasNoAcl()
    {
        _bench.Add(WithAcl(), RawTar.Entry("d", '5', []), RawTar.Entry("d", '0', []), RawTar.Entry("d", '5', []));

        Assert.Equal("", StackBench.Xattrs(_bench.Top, "d"));
    }

    [Fact]
    public void Copy_IntoATreeWithADefaultAcl_CopiesWhatIsThere()
    {
        _bench.Add(WithAcl(), RawTar.Entry("./", '5', []), RawTar.Entry("d/f", '0', []));
        var copy = _bench.Make("copy");
        TreeCopier.Copy(_bench.Tree, copy, CancellationToken.None);

        Assert.StartsWith(Default, StackBench.Xattrs(copy, "."), StringComparison.Ordinal);
        Assert.Equal("", StackBench.Xattrs(copy, "d") + StackBench.Xattrs(copy, "d/f"));
    }

    private static byte[] WithAcl() => RawTar.Pax('x', $"SCHILY.xattr.{Default}={Encoding.Latin1.GetString(s_acl)}");
}
