using ImageStore.Cli.Tests.Support;

namespace ImageStore.Cli.Tests;

/// <summary><c>prepull</c> and <c>jobs</c>: mistakes, and what is told.</summary>
public sealed class PrepullTests : IAsyncDisposable
{
    private readonly Workbench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Prepull_WithoutAFile_OrWithOneThatIsNotThere_SaysSo()
    {
        var without = await _bench.RunAsync("prepull");
        Assert.Equal(2, without.ExitCode);
        Assert.Contains("--file", without.Error, StringComparison.Ordinal);

        var missing = await _bench.RunAsync("prepull", "-f", _bench.In("none.yaml"));
        Assert.Equal(3, missing.ExitCode);
        Assert.Contains("none.yaml is not there", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prepull_OfAMistake_NamesFileLineAndKey_AndMakesNoRoot()
    {
        var file = Write("name: base\nwindow: nightly\nimages: [alpine]");

        var refused = await _bench.RunAsync("prepull", "-f", file);

        Assert.Equal(2, refused.ExitCode);
        Assert.Contains($"imagestore: {file}, line 2: 'window' is wrong: 'nightly' is no window such as 22:00-05:00.", refused.Error, StringComparison.Ordinal);
        Assert.Contains("Correct the file", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_bench.Root));
    }

    [Fact]
    public async Task Prepull_OfADirectoryThatIsNoRoot_PutsNothingThere()
    {
        Directory.CreateDirectory(_bench.Root);
        await File.WriteAllTextAsync(Path.Combine(_bench.Root, "letter.txt"), "dear", TestContext.Current.CancellationToken);

        var refused = await _bench.RunAsync("prepull", "-f", Write("name: base\nimages: [alpine]"));

        Assert.Equal(5, refused.ExitCode);
        Assert.Single(Directory.EnumerateFileSystemEntries(_bench.Root));
    }

    [Fact]
    public async Task Prepull_Quiet_TellsFailuresOnly_AndJobsTellTheRest()
    {
        var image = TestImage.Add(_bench.Registry, "app", 100);
        var file = Write($"name: base\nunpack: false\nimages: [\"{image.Reference}\", \"{_bench.Registry.Host}/none:1\"]");

        var run = await _bench.RunAsync("--quiet", "prepull", "-f", file);

        Assert.Equal(3, run.ExitCode);
        Assert.Empty(run.Output);
        Assert.StartsWith($"imagestore: {_bench.Registry.Host}/none:1", run.Error, StringComparison.Ordinal);
        Assert.Contains("not found", await _bench.OkAsync("jobs", "show", "base-1"), StringComparison.Ordinal);
        var offered = await _bench.BashAsync("line=\"imagestore --root $ROOT jobs show base-\"; \"$BIN\" \"[suggest:${#line}]\" \"$line\"");
        Assert.Equal("base-1\n", offered.Output);
    }

    [Fact]
    public async Task Jobs_OfWhatIsNotThere_AreNone()
    {
        Assert.StartsWith("ID", await _bench.OkAsync("jobs", "ls"), StringComparison.Ordinal);
        Assert.Equal("[]\n", await _bench.OkAsync("--format", "json", "jobs", "ls"));
        foreach (var verb in (string[])["show", "cancel"])
        {
            var refused = await _bench.RunAsync("jobs", verb, "base-1");
            Assert.Equal(3, refused.ExitCode);
            Assert.Contains("There is no job base-1 in the namespace default.", refused.Error, StringComparison.Ordinal);
        }
    }

    private string Write(string text)
    {
        var path = _bench.In("prepull.yaml");
        File.WriteAllText(path, text);
        return path;
    }
}
