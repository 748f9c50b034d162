using Google.Protobuf;
using ImageStore.Runtime.Protocol.Bootstrap;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Shim.Interop;

namespace ImageStore.Shim.Tests.Whole;

/// <summary>What begins a shim, and what it says of itself.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task Start_ManyAtOnce_FindOneShim()
    {
        await using var bundle = new ShimBundle();
        for (var round = 0; round < 5; round++)
        {
            var addresses = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => bundle.StartAsync()));
            Assert.Single(addresses.Distinct());
            var client = await bundle.ConnectAsync(addresses[0]);
            var told = await ShimBundle.CallAsync(client, "Connect", new ConnectRequest { Id = bundle.Id }, ConnectResponse.Parser);
            Assert.Equal([(int)told.ShimPid], bundle.Shims());

            // A killed one leaves its socket for the next round to find.
            _ = Signals.Send((int)told.ShimPid, Signals.Kill);
            await ShimBundle.UntilAsync(() => bundle.Shims().Count == 0, "the shim does not end");
        }
    }

    [Fact]
    public async Task Start_OfAnIdThatIsAPath_IsRefused()
    {
        await using var bundle = new ShimBundle();
        Assert.NotEqual(0, (await bundle.RunAsync(["-namespace", bundle.Id, "-id", "../x", "-address", bundle.In("containerd"), "start"])).Code);
        Assert.NotEqual(0, (await bundle.RunAsync(["-namespace", bundle.Id, "-id", "../x", "-address", bundle.In("containerd"), "delete"])).Code);
    }

    [Fact]
    public async Task Info_HasTheRuntimesFeatures()
    {
        await using var bundle = new ShimBundle();
        bundle.WriteRuntime("[ $verb != features ] || { echo '{\"ociVersionMax\":\"1.0.2\"}'; exit 0; }");
        var (code, output) = await bundle.RunAsync(["-info"], bundle.Creation().Options.ToByteArray());
        Assert.Equal(0, code);
        var info = RuntimeInfo.Parser.ParseFrom(System.Text.Encoding.Latin1.GetBytes(output));
        Assert.Equal(
            ("types.containerd.io/opencontainers/runtime-spec/1/features/Features", "{\"ociVersionMax\":\"1.0.2\"}"),
            (info.Features.TypeUrl, info.Features.Value.ToStringUtf8()));
    }
}
