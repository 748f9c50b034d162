using System.Text;
using ImageStore.Shim.Oci;

namespace ImageStore.Shim.Tests.Oci;

public sealed class BundleSpecTests
{
    [Theory]
    [InlineData("""{"linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]}}""", true)]
    [InlineData("""{"linux": {"namespaces": [{"type": "pid", "path": ""}]}}""", true)]
    [InlineData("""{"linux": {"namespaces": [{"type": "pid", "path": "/proc/1/ns/pid"}]}}""", false)]
    [InlineData("""{"linux": {"namespaces": [{"type": "mount"}]}}""", false)]
    [InlineData("""{"linux": {"namespaces": null}}""", false)]
    [InlineData("""{"linux": 1}""", false)]
    [InlineData("{}", false)]
    public void HasOwnPids_OnlyWithANewNamespace(string spec, bool expected) =>
        Assert.Equal(expected, BundleSpec.Parse(Encoding.UTF8.GetBytes(spec)).HasOwnPids);
}
