using ImageStore.Cli.Tests.Support;
using ImageStore.TestKit;

namespace ImageStore.Cli.Tests;

public sealed class SignalTests : IAsyncDisposable
{
    private readonly Workbench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task Pull_Signalled_EndsWithItsCodeAndGoesOnLater(string signal, int code)
    {
        var image = TestImage.Add(_bench.Registry, "app", layerBytes: 200_000);
        var stalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _bench.Registry.Intercept = request =>
        {
            if (!request.Target.EndsWith(image.Layer.Digest.ToString(), StringComparison.Ordinal))
            {
                return null;
            }

            stalled.TrySetResult();
            return _bench.Registry.Serve(request) with { StallAt = 100_000 };
        };
        using var process = Shell.Start(Workbench.Binary, ["--root", _bench.Root, "--quiet", "pull", "--no-unpack", image.Reference]);
        await stalled.Task.WaitAsync(TimeSpan.FromMinutes(1));
        await Shell.RunAsync("kill", ["-" + signal, process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        var result = await Shell.EndAsync(process);
        Assert.True(result.ExitCode == code, $"{result.ExitCode} instead of {code}: {result.Error}");
        var lines = result.Error.TrimEnd('\n').Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("imagestore: interrupted", lines[0], StringComparison.Ordinal);

        _bench.Registry.Intercept = null;
        await _bench.OkAsync("--quiet", "pull", "--no-unpack", image.Reference);
        await _bench.OkAsync("content", "get", image.Layer.Digest.ToString());
    }

    [Fact]
    public async Task Pull_SecondSignal_EndsAtOnce()
    {
        _bench.Registry.Intercept = _ => new FakeResponse { Body = [1], StallAt = 0 };
        using var process = Shell.Start(Workbench.Binary, ["--root", _bench.Root, "--quiet", "pull", $"{_bench.Registry.Host}/app"]);
        while (_bench.Registry.Requests.IsEmpty)
        {
            await Task.Delay(10);
        }

        await Shell.RunAsync("bash", ["-c", $"kill -INT {process.Id}; kill -INT {process.Id}"]);
        var result = await Shell.EndAsync(process);
        Assert.Equal(130, result.ExitCode);
    }

    [Fact]
    public async Task Output_ReaderWentAway_IsNoError()
    {
        var image = await _bench.StoredAsync(layerBytes: 4_000_000);
        var result = await _bench.BashAsync(
            $"\"$BIN\" --root \"$ROOT\" content get {image.Layer.Digest} | head -c 10 >/dev/null; echo ${{PIPESTATUS[0]}}");
        Assert.Equal("0\n", result.Output);
        Assert.Empty(result.Error);
        var closed = await _bench.BashAsync("\"$BIN\" --root \"$ROOT\" images ls | true; echo ${PIPESTATUS[0]}");
        Assert.Equal("0\n", closed.Output);
        Assert.Empty(closed.Error);
    }
}
