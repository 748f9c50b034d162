using System.Text.Json;
using ImageStore.Cli.Tests.Support;

namespace ImageStore.Cli.Tests;

/// <summary><c>fsck</c>.</summary>
public sealed class FsckTests : IAsyncDisposable
{
    private const int NotFound = 3;
    private const int CorruptData = 11;

    private readonly Workbench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Fsck_OfADamagedRoot_TellsWhatIsDamaged()
    {
        var image = await _bench.StoredAsync();
        Assert.Contains("no damage", await _bench.OkAsync("fsck", "--quick"), StringComparison.Ordinal);
        File.Delete(Path.Combine(_bench.Root, "content", "blobs", "sha256", image.Layer.Digest.Hex));

        var told = await _bench.RunAsync("fsck", "--quick");
        var json = await _bench.RunAsync("--format", "json", "fsck", "--quick");

        Assert.Equal((CorruptData, CorruptData), (told.ExitCode, json.ExitCode));
        Assert.Contains($"damage  blob {image.Layer.Digest}", told.Output, StringComparison.Ordinal);
        using var report = JsonDocument.Parse(json.Output);
        Assert.NotEqual(0, report.RootElement.GetProperty("damage").GetInt32());
    }
    [Theory]
    [InlineData("--quick")]
    [InlineData("--repair")]
    public async Task Fsck_OfARootThatIsNotThere_SaysSo_AndMakesNone(string option)
    {
        Assert.False(Directory.Exists(_bench.Root));

        var told = await _bench.RunAsync("fsck", option);

        Assert.Equal(NotFound, told.ExitCode);
        Assert.Contains($"There is no root directory {_bench.Root}", told.Error, StringComparison.Ordinal);
        Assert.Contains("--root", told.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_bench.Root));
    }
}
