using ImageStore.Runtime.Options;
using ImageStore.Runtime.Spec;
using ImageStore.Runtime.Tests.Support;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tests.Options;

public sealed class MountTextTests
{
    [Theory]
    [InlineData("type=bind,src=/a,dst=/b", "bind /a /b rbind,rprivate")]
    [InlineData("src=/a,dst=/b,ro", "bind /a /b rbind,rprivate,ro")]
    [InlineData("type=bind,source=/a,target=/b/,readonly=true,bind-propagation=rslave", "bind /a /b rbind,ro,rslave")]
    [InlineData("type=bind,src=/a,destination=//b/./c,options=bind:ro:nosuid", "bind /a /b/c bind,rprivate,ro,nosuid")]
    [InlineData("type=tmpfs,dst=/t", "tmpfs tmpfs /t nosuid,nodev,noexec")]
    [InlineData("type=tmpfs,dst=/t,tmpfs-size=64M,tmpfs-mode=1770,options=exec", "tmpfs tmpfs /t nosuid,nodev,noexec,size=67108864,mode=1770,exec")]
    public void Parse_OfAMount_IsThatMount(string text, string expected) => Assert.Equal(expected, Shown(MountText.Parse(text)));

    [Theory]
    [InlineData("/a:/b", "bind /a /b rbind,rprivate")]
    [InlineData("/a:/b:ro", "bind /a /b rbind,rprivate,ro")]
    [InlineData("/a/../c:/b:ro,z,rshared", "bind /c /b rbind,ro,rshared")]
    public void ParseVolume_OfAPath_IsABind(string text, string expected) => Assert.Equal(expected, Shown(MountText.ParseVolume(text)));

    [Fact]
    public void ParseVolume_OfARelativePath_IsFromWhereWeAre() =>
        Assert.Equal(Path.Combine(Environment.CurrentDirectory, "data"), MountText.ParseVolume("./data:/d").Source);

    [Theory]
    [InlineData("type=bind,dst=/b")]
    [InlineData("type=bind,src=/a")]
    [InlineData("type=tmpfs,src=/a,dst=/b")]
    [InlineData("type=volume,src=a,dst=/b")]
    [InlineData("type=bind,src=/a,dst=/b,colour=red")]
    [InlineData("type=bind,src=/a,dst=b")]
    [InlineData("type=bind,src=/a,dst=/b/../../etc")]
    [InlineData("type=bind,src=/a,dst=/")]
    [InlineData("type=bind,src=/a,dst=/.")]
    [InlineData("type=bind,src=/a,dst=/b,options=ro:")]
    [InlineData("type=bind,src=/a,dst=/b,options=ro rw")]
    [InlineData("type=bind,src=/a,dst=/b\n")]
    [InlineData("type=tmpfs,dst=/b,tmpfs-size=much")]
    [InlineData("")]
    public void Parse_OfWhatIsNone_IsRefused(string text) =>
        Say.Fault(ErrorKind.InvalidArgument, () => MountText.Parse(text), "--mount");

    [Theory]
    [InlineData("/a", ErrorKind.InvalidArgument)]
    [InlineData("/a:", ErrorKind.InvalidArgument)]
    [InlineData(":/b", ErrorKind.InvalidArgument)]
    [InlineData("/a:/b:ro:rw", ErrorKind.InvalidArgument)]
    [InlineData("/a:b", ErrorKind.InvalidArgument)]
    [InlineData("/a:/../b", ErrorKind.InvalidArgument)]
    [InlineData("/a:/", ErrorKind.InvalidArgument)]
    [InlineData("/a:/b:r o", ErrorKind.InvalidArgument)]
    [InlineData("data:/b", ErrorKind.Unsupported)]
    public void ParseVolume_OfWhatIsNone_IsRefused(string text, ErrorKind kind) =>
        Say.Fault(kind, () => MountText.ParseVolume(text), "--volume");

    private static string Shown(MountSpec mount) => $"{mount.Type} {mount.Source} {mount.Destination} {string.Join(',', mount.Options!)}";
}
