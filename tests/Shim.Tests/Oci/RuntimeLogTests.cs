using System.Text;
using CsCheck;
using ImageStore.Shim.Oci;

namespace ImageStore.Shim.Tests.Oci;

public sealed class RuntimeLogTests
{
    [Fact]
    public void LastError_IsTheLastThatIsOne() => Assert.Equal("second", RuntimeLog.LastError("""
        {"level":"warning","msg":"w","time":"t"}
        {"level":"error","msg":"first","time":"t"}
        no json at all
        {"msg":" second ","level":"error","more":{"level":"info","msg":"inner"}}
        {"level":"info","msg":"done"}
        {"level":"err
        """u8));

    [Fact]
    public void LastError_OfALogWithoutOne_IsNone() => Assert.Null(RuntimeLog.LastError("""{"level":"info","msg":"x"}"""u8));

    [Fact]
    public void LastError_ThatIsHuge_IsCut() =>
        Assert.True(RuntimeLog.LastError(Encoding.UTF8.GetBytes($$"""{"level":"error","msg":"{{new string('x', 60_000)}}"}"""))!.Length < 10_000);

    [Fact]
    public void LastError_OfAnyBytes_IsNoFailure() => Gen.Byte.Array[0, 300].Sample(bytes => _ = RuntimeLog.LastError(bytes));
}
