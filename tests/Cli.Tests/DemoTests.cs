using ImageStore.Cli.Demo;
using ImageStore.Cli.Tests.Support;

namespace ImageStore.Cli.Tests;

public sealed class DemoTests : IAsyncDisposable
{
    private readonly Workbench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Demo_ShowsEachStepAndLeavesNothing()
    {
        var place = Directory.CreateDirectory(_bench.In("tmp")).FullName;
        var result = await Shell.RunAsync(
            Workbench.Binary, ["demo"], new Dictionary<string, string?> { ["TMPDIR"] = place });
        Assert.True(result.ExitCode == 0, result.Error);
        foreach (var verb in (string[])["pull 127.0.0.1:", "images ls", "content ls", "mount 127.0.0.1:", "info"])
        {
            Assert.Contains(verb, result.Output, StringComparison.Ordinal);
        }

        if (Engine.Unpack.Privileges.CanMount)
        {
            Assert.Contains("The upper layer wrote this.", result.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("mnt/tmp/scratch", result.Output, StringComparison.Ordinal);
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(place));
    }

    [Fact]
    public async Task Demo_Keep_LeavesARootThatWorks()
    {
        var place = Directory.CreateDirectory(_bench.In("tmp")).FullName;
        await Shell.RunAsync(Workbench.Binary, ["demo", "--keep"], new Dictionary<string, string?> { ["TMPDIR"] = place });
        var kept = Assert.Single(Directory.EnumerateDirectories(place));
        var list = await Shell.RunAsync(Workbench.Binary, ["--root", Path.Combine(kept, "root"), "images", "ls"]);
        Assert.Contains("demo/hello:1.0", list.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Image_MadeTwice_IsTheSame() =>
        Assert.Equal(
            new DemoImage("a", "1").Documents.Keys.Order(StringComparer.Ordinal),
            new DemoImage("a", "1").Documents.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("POST", "/v2/", 405)]
    [InlineData("GET", "/v2/", 200)]
    [InlineData("HEAD", "/v2/absent/manifests/1", 404)]
    public async Task Registry_Request_IsAnswered(string method, string path, int status)
    {
        await using var registry = new DemoRegistry(new DemoImage("a", "1").Documents);
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(new HttpMethod(method), $"http://{registry.Host}{path}");
        using var response = await client.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task Registry_HeadWithoutEnd_IsDropped()
    {
        await using var registry = new DemoRegistry(new DemoImage("a", "1").Documents);
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(System.Net.IPEndPoint.Parse(registry.Host));
        var stream = client.GetStream();
        try
        {
            await stream.WriteAsync(new byte[64 * 1024]);
            Assert.Equal(0, await stream.ReadAsync(new byte[1]));
        }
        catch (IOException)
        {
            // A reset is an end too.
        }
    }
}
