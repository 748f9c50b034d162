using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Ttrpc;

namespace ImageStore.Shim.Tests.Whole;

/// <summary>Programs that take output, slow ones and those that do not end.</summary>
public sealed class LoggerTests
{
    [Fact]
    public async Task Delete_WaitsForALoggerThatWrites()
    {
        await using var bundle = new ShimBundle();
        var client = await RunAsync(bundle, $"exec 5>&-\ncat <&3 > {bundle.In("out")}\nsleep 1\necho done >> {bundle.In("out")}");
        await ShimBundle.CallAsync(client, "Delete", new DeleteRequest { Id = bundle.Id }, DeleteResponse.Parser);
        Assert.Equal("hello\ndone\n", await File.ReadAllTextAsync(bundle.In("out")));
    }

    [Fact]
    public async Task Shim_ThatEnds_LeavesNoLoggerThatDoesNot()
    {
        await using var bundle = new ShimBundle();
        var client = await RunAsync(bundle, "exec 5>&-\nexec sleep 1000");
        await ShimBundle.CallAsync(client, "Delete", new DeleteRequest { Id = bundle.Id }, DeleteResponse.Parser);
        await Assert.ThrowsAnyAsync<RpcException>(async () =>
        {
            // It says that it ends, or has ended by then.
            await ShimBundle.CallAsync(client, "Shutdown", new ShutdownRequest { Id = bundle.Id }, Empty.Parser);
            await client.Closed.WaitAsync(ShimBundle.Patience);
            await ShimBundle.CallAsync(client, "Shutdown", new ShutdownRequest { Id = bundle.Id }, Empty.Parser);
        });
        await ShimBundle.UntilAsync(() => bundle.Shims().Count == 0, "the shim does not end");
        Assert.Empty(bundle.Left());
    }

    private static async Task<TtrpcClient> RunAsync(ShimBundle bundle, string script)
    {
        await File.WriteAllTextAsync(bundle.In("logger"), "#!/bin/sh\n" + script);
        File.SetUnixFileMode(bundle.In("logger"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        bundle.WriteSpec("sh", "-c", "echo hello");
        var client = await bundle.ConnectAsync(await bundle.StartAsync());
        var creation = bundle.Creation();
        creation.Stdout = creation.Stderr = $"binary://{bundle.In("logger")}";
        await ShimBundle.CallAsync(client, "Create", creation, CreateTaskResponse.Parser);
        await bundle.StartTaskAsync(client);
        await ShimBundle.CallAsync(client, "Wait", new WaitRequest { Id = bundle.Id }, WaitResponse.Parser);
        return client;
    }
}
