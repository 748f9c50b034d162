using System.Text;
using ImageStore.Runtime.Generation;
using ImageStore.Runtime.Host;
using ImageStore.Runtime.Images;
using ImageStore.Runtime.Options;
using ImageStore.Runtime.Tests.Support;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Runtime.Tests.Images;

public sealed class ImageProcessTests
{
    [Fact]
    public void Parse_OfAConfig_IsWhatItSays()
    {
        var image = ImageProcess.Parse("""
            {"os":"linux","architecture":"arm64","variant":"v8","author":"A","created":"2026-01-01T00:00:00Z","rootfs":{"type":"layers","diff_ids":[]},
             "config":{"User":"app","Env":["A=b"],"Entrypoint":["e"],"Cmd":["c"],"WorkingDir":"/w","Labels":{"k":"v"},"StopSignal":"SIGINT","Healthcheck":{"Test":[]}}}
            """u8);
        Assert.Equal(("app", "/w", "SIGINT", "v"), (image.User, image.WorkingDir, image.StopSignal, image.Labels!["k"]));
        Assert.Equal(["A=b", "e", "c"], [.. image.Env!, .. image.Entrypoint!, .. image.Cmd!]);
        Assert.Equal(new ImageOrigin("linux", "arm64", "v8", "A", "2026-01-01T00:00:00Z"), image.Origin);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"config":null}""")]
    [InlineData("""{"config":{"Env":null,"Cmd":null,"Entrypoint":null,"Labels":null,"User":"","Volumes":null}}""")]
    public void Parse_OfAConfigThatSaysNothing_IsEmpty(string config)
    {
        var image = ImageProcess.Parse(Encoding.UTF8.GetBytes(config));
        Assert.Equal((0, 0, 0), (image.Env?.Count ?? 0, image.Cmd?.Count ?? 0, image.Entrypoint?.Count ?? 0));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"config":{"Env":"A=b"}}""")]
    [InlineData("""{"config":{"Cmd":[null]}}""")]
    [InlineData("""{"config":{"Env":[1]}}""")]
    [InlineData("""{"config":{"Labels":{"a":null}}}""")]
    [InlineData("""{"config":{"User":5}}""")]
    [InlineData("""{"config":{"User":"a","User":"b"}}""")]
    [InlineData("""{"config":{"Cmd":["a"]}""")]
    public void Parse_OfWhatIsNone_IsTheImagesFault(string config) =>
        Say.Fault(ErrorKind.CorruptData, () => ImageProcess.Parse(Encoding.UTF8.GetBytes(config)), "image config");

    [Fact]
    public void Parse_OfMoreThanTheLimit_IsRefused() =>
        Assert.Equal(ErrorKind.LimitExceeded, Assert.Throws<ImageStoreException>(() => ImageProcess.Parse(new byte[OciLimits.MaxConfigBytes + 1])).Kind);

    [Fact]
    public void Annotations_OfAnImage_GiveRuntimesNoOrders()
    {
        using var root = new Folder();
        var image = new ImageProcess
        {
            Cmd = ["a"],
            StopSignal = "SIGINT",
            Origin = new ImageOrigin("linux", "amd64", null, null, "then"),
            Labels = new Dictionary<string, string>
            {
                ["version"] = "1", ["org.opencontainers.image.created"] = "labelled", [""] = "x",
                ["run.oci.handler"] = "krun", ["Run.Oci.hooks.stdout"] = "/x", ["org.systemd.property.ExecStart"] = "x", ["io.kubernetes.cri-o.Devices"] = "/dev/sda",
                ["containerd.io/restart.status"] = "running", ["io.containerd.runc.v2.group"] = "x", ["org.criu.config"] = "/x", ["io.katacontainers.config.hypervisor.path"] = "/x",
                ["module.wasm.image/variant"] = "compat", ["dev.gvisor.internal.x"] = "x", ["io.cri-containerd.image"] = "managed",
            },
        };
        var made = SpecGenerator.Generate(image, new ContainerOptions { Annotations = new Dictionary<string, string> { ["version"] = "2", ["run.oci.mine"] = "yes" } }, new HostFacts(), root.Path);
        Assert.Equal(
            "org.opencontainers.image.architecture=amd64 org.opencontainers.image.created=labelled org.opencontainers.image.os=linux "
                + "org.opencontainers.image.stopSignal=SIGINT run.oci.mine=yes version=2",
            string.Join(' ', made.Spec.Annotations!.Select(pair => $"{pair.Key}={pair.Value}")));
    }
}
