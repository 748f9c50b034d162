using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Runc;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Tasks;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Tests.Tasks;

public sealed class TaskOptionsTests
{
    [Theory]
    [InlineData("containerd.runc.v1.Options")]
    [InlineData("type.googleapis.com/containerd.runc.v1.Options")]
    public void Runtime_OfRuncsOptions_IsThem(string type) =>
        Assert.Equal("crun", TaskOptions.Runtime(new Any { TypeUrl = type, Value = new Options { BinaryName = "crun" }.ToByteString() }).BinaryName);

    [Fact]
    public void Runtime_OfNone_IsTheDefaults() => Assert.Equal(new Options(), TaskOptions.Runtime(null));

    [Fact]
    public void Runtime_OfGenericOptions_ReadsTheToml()
    {
        var options = Generic("BinaryName = \"crun\"\nSystemdCgroup = true\nIoUid = 7\n");
        Assert.Equal(("crun", true, 7u), (options.BinaryName, options.SystemdCgroup, options.IoUid));
    }

    [Theory]
    [InlineData("BinaryNam = \"crun\"")]
    [InlineData("BinaryName = 1")]
    [InlineData("=")]
    public void Runtime_OfWrongToml_IsRefused(string toml) =>
        Assert.Equal(ErrorKind.FailedPrecondition, Assert.Throws<ImageStoreException>(() => Generic(toml)).Kind);

    [Fact]
    public void Runtime_OfAnotherKind_IsRefused() => Assert.Equal(
        RpcCode.InvalidArgument,
        Assert.Throws<RpcException>(() => TaskOptions.Runtime(new Any { TypeUrl = "other", Value = ByteString.CopyFrom(1) })).Code);

    [Theory]
    [InlineData("../x")]
    [InlineData("")]
    [InlineData("-rf")]
    [InlineData("a/b")]
    [InlineData("a\nb")]
    public void Check_OfAnIdThatIsNone_Refuses(string id) => Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ImageStoreException>(() => ProcessName.Check(id)).Kind);

    private static Options Generic(string toml) => TaskOptions.Runtime(new Any
    {
        TypeUrl = "runtimeoptions.v1.Options",
        Value = new ImageStore.Runtime.Protocol.Bootstrap.GenericOptions { ConfigBody = ByteString.CopyFromUtf8(toml) }.ToByteString(),
    });
}
