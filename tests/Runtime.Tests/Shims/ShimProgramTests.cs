using ImageStore.Runtime.Shims;
using ImageStore.Runtime.Tests.Support;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tests.Shims;

public sealed class ShimProgramTests : IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("io.containerd.runc.v2", "containerd-shim-runc-v2")]
    [InlineData("io.containerd.kata.v2", "containerd-shim-kata-v2")]
    [InlineData("runsc.v1", "containerd-shim-runsc-v1")]
    public void Find_AName_IsTheProgramOfItsLastTwoParts(string runtime, string program) =>
        Assert.Equal(Program(program), ShimProgram.Find(runtime, [_folder.In("none"), _folder.Path]));

    [Fact]
    public void Find_APath_IsThePath() => Assert.Equal(Program("any"), ShimProgram.Find(_folder.In("any"), []));

    [Fact]
    public void Find_TheUsualRuntimeWhereItsShimIsNot_IsOurs()
    {
        var own = Program("containerd-shim-imagestore-v1");
        Assert.Equal(own, ShimProgram.Find("io.containerd.runc.v2", [_folder.Path]));
        Say.Fault(ErrorKind.NotFound, () => ShimProgram.Find("io.containerd.runc.v1", [_folder.Path]), "io.containerd.runc.v1", "containerd-shim-runc-v1");
        Assert.Equal(Program("containerd-shim-runc-v2"), ShimProgram.Find("io.containerd.runc.v2", [_folder.Path]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("runc")]
    [InlineData("io..v2")]
    [InlineData("io.containerd.../../x")]
    [InlineData("a.b/c")]
    public void Find_WhatIsNoName_IsRefused(string runtime) =>
        Say.Fault(ErrorKind.InvalidArgument, () => ShimProgram.Find(runtime, [_folder.Path]), $"'{runtime}'");

    [Fact]
    public void Find_AFileThatIsNoProgram_IsNone() =>
        Say.Fault(ErrorKind.NotFound, () => ShimProgram.Find(_folder.Write("text", "x"), []), _folder.In("text"));

    private string Program(string name)
    {
        var path = _folder.Write(name, "#!/bin/sh\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }
}
