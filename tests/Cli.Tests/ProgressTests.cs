using System.Text.RegularExpressions;
using ImageStore.Cli.Output;
using ImageStore.Cli.Tests.Support;

namespace ImageStore.Cli.Tests;

public sealed partial class ProgressTests : IAsyncDisposable
{
    private readonly Workbench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Pull_IntoAPipe_TellsPlainLines()
    {
        var image = TestImage.Add(_bench.Registry, "app");
        var result = await _bench.RunAsync("pull", "--no-unpack", image.Reference);
        Assert.Contains($"layer  {image.Layer.Digest.Hex[..12]}", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', result.Error);
        Assert.DoesNotContain("layer", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_Quiet_TellsNoProgress()
    {
        var image = TestImage.Add(_bench.Registry, "app");
        Assert.Empty((await _bench.RunAsync("--quiet", "pull", "--no-unpack", image.Reference)).Error);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(100)]
    public async Task Pull_OnATerminal_RedrawsWithinItsWidth(int columns)
    {
        Shell.Need("script");
        var image = TestImage.Add(_bench.Registry, "app", layerBytes: 3_000_000);
        var result = await Shell.RunAsync(
            "script",
            ["-qec", $"stty cols {columns} rows 20; \"$BIN\" --root \"$ROOT\" pull --no-unpack {image.Reference} >/dev/null", "/dev/null"],
            _bench.Variables());
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("\e[J", result.Output, StringComparison.Ordinal);
        var lines = Escapes().Replace(result.Output, string.Empty).Split('\n').Select(line => line.Trim('\r')).ToList();
        Assert.Contains(lines, line => line.StartsWith("layer ", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Length >= columns);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1_500_000_000, "1.4 GiB")]
    public void Of_Bytes_IsReadable(long bytes, string expected) => Assert.Equal(expected, Sizes.Of(bytes));

    [Theory]
    [InlineData(30, "just now")]
    [InlineData(600, "10 minutes")]
    [InlineData(90_000, "25 hours")]
    [InlineData(86_400 * 3, "3 days")]
    [InlineData(86_400 * 365 * 3, "3 years")]
    public void Age_OfSeconds_IsOneUnit(long seconds, string expected) =>
        Assert.Equal(expected, Sizes.Age(TimeSpan.FromSeconds(seconds)));

    [GeneratedRegex(@"\e\[[0-9;?]*[A-Za-z]|\e[=>]")]
    private static partial Regex Escapes();
}
