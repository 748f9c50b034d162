using System.Net.Sockets;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Ttrpc;

namespace ImageStore.Shim.Tests.Whole;

/// <summary>Calls as containerd makes them, and as it breaks them off.</summary>
public sealed class CallTests
{
    [Fact]
    public async Task Start_OfACallerThatGoes_IsDoneAllTheSame()
    {
        await using var bundle = new ShimBundle();
        bundle.WriteRuntime($"[ $verb != start ] || {{ touch {bundle.In("begun")}; sleep 1; }}");
        var address = await bundle.StartAsync();
        var client = await bundle.ConnectAsync(address);
        await bundle.CreateAsync(client);
        var starting = bundle.StartTaskAsync(client);
        await ShimBundle.UntilAsync(() => File.Exists(bundle.In("begun")), "the runtime does not begin");
        await client.DisposeAsync();
        await Assert.ThrowsAsync<RpcException>(() => starting);
        var next = await bundle.ConnectAsync(address);
        await WaitForAsync(bundle, next, Runtime.Protocol.Tasks.TaskStatus.Running);
        await bundle.EndAsync(next);
    }

    [Fact]
    public async Task Delete_Twice_IsDoneOnceAndTakesNothingOfTheNext()
    {
        await using var bundle = new ShimBundle();
        bundle.WriteRuntime("[ $verb != delete ] || sleep 1");
        var client = await bundle.ConnectAsync(await bundle.StartAsync());
        await bundle.CreateAsync(client);
        var first = ShimBundle.CallAsync(client, "Delete", new DeleteRequest { Id = bundle.Id }, DeleteResponse.Parser);
        var second = ShimBundle.CallAsync(client, "Delete", new DeleteRequest { Id = bundle.Id }, DeleteResponse.Parser);
        Assert.Equal(137u, (await first).ExitStatus);
        await bundle.CreateAsync(client);
        Assert.Equal(RpcCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => second)).Code);
        Assert.Equal(Runtime.Protocol.Tasks.TaskStatus.Created, await bundle.StatusAsync(client));
        await ShimBundle.CallAsync(client, "Delete", new DeleteRequest { Id = bundle.Id }, DeleteResponse.Parser);
    }

    [Fact]
    public async Task Pause_OfAProcessThatEndsMeanwhile_LeavesItStopped()
    {
        await using var bundle = new ShimBundle();
        bundle.WriteRuntime("if [ $verb = pause ]; then runc --root \"$2\" kill " + bundle.Id + " KILL; sleep 1; exit 0; fi");
        var client = await bundle.ConnectAsync(await bundle.StartAsync());
        await bundle.CreateAsync(client);
        await bundle.StartTaskAsync(client);
        await ShimBundle.CallAsync(client, "Pause", new PauseRequest { Id = bundle.Id }, Empty.Parser);
        Assert.Equal(Runtime.Protocol.Tasks.TaskStatus.Stopped, await bundle.StatusAsync(client));
        await ShimBundle.CallAsync(client, "Delete", new DeleteRequest { Id = bundle.Id }, DeleteResponse.Parser);
    }

    [Fact]
    public async Task Shutdown_OfAnIdleShim_EndsItAndItsSocket()
    {
        await using var bundle = new ShimBundle();
        var address = await bundle.StartAsync();
        var (one, other) = (await bundle.ConnectAsync(address), await bundle.ConnectAsync(address));
        await ShimBundle.CallAsync(other, "Connect", new ConnectRequest { Id = bundle.Id }, ConnectResponse.Parser);
        await Task.WhenAll(
            ShimBundle.CallAsync(one, "Shutdown", new ShutdownRequest { Id = bundle.Id }, Empty.Parser),
            Assert.ThrowsAsync<RpcException>(async () =>
            {
                // Until it ends it says so; then its end does.
                while (true)
                {
                    await ShimBundle.CallAsync(other, "Connect", new ConnectRequest { Id = bundle.Id }, ConnectResponse.Parser);
                }
            }));
        await ShimBundle.UntilAsync(() => bundle.Shims().Count == 0, "the shim does not end");
        Assert.False(File.Exists(address));
    }

    [Fact]
    public async Task Runtime_ThatTheShimRuns_HasNothingThatIsNotItsOwn()
    {
        await using var bundle = new ShimBundle();
        var path = bundle.In("notify");
        using var notify = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        notify.Bind(new UnixDomainSocketEndPoint(path));
        bundle.Variables["NOTIFY_SOCKET"] = path;
        bundle.Variables["LISTEN_FDS"] = "1";
        bundle.Variables["WATCHDOG_USEC"] = "1000";
        bundle.Variables["KEPT"] = "yes";
        bundle.WriteRuntime($"[ $verb != create ] || {{ env > {bundle.In("env")}; ls -l /proc/$$/fd > {bundle.In("files")}; }}");
        var client = await bundle.ConnectAsync(await bundle.StartAsync());
        await bundle.CreateAsync(client);

        // With the socket of systemd, runc would wait here for the container to say that it is ready.
        await bundle.StartTaskAsync(client);
        var names = (await File.ReadAllLinesAsync(bundle.In("env"))).Select(line => line.Split('=')[0]).ToList();
        Assert.Contains("KEPT", names);
        Assert.DoesNotContain(names, name => name is "NOTIFY_SOCKET" or "LISTEN_FDS" or "WATCHDOG_USEC" || name.StartsWith("DOTNET_", StringComparison.Ordinal));
        Assert.DoesNotContain("socket:", await File.ReadAllTextAsync(bundle.In("files")));
        await bundle.EndAsync(client);
    }

    [Fact]
    public async Task Shim_ThatCanOpenNothingMore_StaysWithItsContainer()
    {
        if (!ShimBundle.IsNative)
        {
            Assert.Skip("the shim is not native: run ./test");
        }

        // Less than 64, at which descriptors were put away while a program was begun.
        await using var bundle = new ShimBundle { FileLimit = 60 };
        var address = await bundle.StartAsync();
        var client = await bundle.ConnectAsync(address);
        await bundle.CreateAsync(client);
        await bundle.StartTaskAsync(client);
        List<TtrpcClient> many = [];
        for (var number = 0; number < 62; number++)
        {
            many.Add(await bundle.ConnectAsync(address));
        }

        // It looks for memory to give back meanwhile, and can open no file for that either.
        await Task.Delay(TimeSpan.FromSeconds(2));
        foreach (var one in many)
        {
            await one.DisposeAsync();
        }

        Assert.Equal(Runtime.Protocol.Tasks.TaskStatus.Running, await bundle.StatusAsync(client));
        Assert.Equal(Runtime.Protocol.Tasks.TaskStatus.Running, await bundle.StatusAsync(await bundle.ConnectAsync(address)));
        await bundle.EndAsync(client);
    }

    private static async Task WaitForAsync(ShimBundle bundle, TtrpcClient client, Runtime.Protocol.Tasks.TaskStatus status)
    {
        using var limit = new CancellationTokenSource(ShimBundle.Patience);
        while (await bundle.StatusAsync(client) != status)
        {
            await Task.Delay(20, limit.Token);
        }
    }
}
