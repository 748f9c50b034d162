using System.Text;
using ImageStore.Shim.Invocation;
using ImageStore.Shim.Oci;

namespace ImageStore.Shim.Tests.Invocation;

public sealed class SocketAddressTests
{
    [Fact]
    public void PathOf_IsTheHashOfAllThree() => Assert.Equal(
        "/run/containerd/s/" + Convert.ToHexStringLower(
            System.Security.Cryptography.SHA256.HashData("/run/containerd/containerd.sock/default/one"u8)),
        SocketAddress.PathOf(string.Empty, "/run/containerd/containerd.sock", "default", "one"));

    [Theory]
    [InlineData("""{"annotations": {"io.kubernetes.cri.sandbox-id": "pod"}}""", "pod")]
    [InlineData("""{"annotations": {"io.kubernetes.cri.sandbox-id": "pod", "io.containerd.runc.v2.group": "group"}}""", "group")]
    [InlineData("""{"annotations": {"other": "x"}}""", "one")]
    [InlineData("{}", "one")]
    public void GroupOf_IsWhatTheAnnotationsSay(string spec, string group) =>
        Assert.Equal(group, SocketAddress.GroupOf(BundleSpec.Parse(Encoding.UTF8.GetBytes(spec)), "one"));
}
