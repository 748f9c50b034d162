using System.Text;
using Google.Protobuf;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Oci;

namespace ImageStore.Shim.Tests.Oci;

public sealed class ExecSpecTests
{
    [Fact]
    public void WithTerminal_ChangesNothingElse() => Assert.Equal(
        """{"args":["sh"],"cwd":"/","terminal":true}""",
        Encoding.UTF8.GetString(ExecSpec.WithTerminal(ByteString.CopyFromUtf8("""{"terminal":false,"args":["sh"],"cwd":"/"}"""), terminal: true)));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    public void WithTerminal_OfNoObject_IsRefused(string spec) => Assert.Equal(
        RpcCode.InvalidArgument, Assert.Throws<RpcException>(() => ExecSpec.WithTerminal(ByteString.CopyFromUtf8(spec), terminal: false)).Code);
}
