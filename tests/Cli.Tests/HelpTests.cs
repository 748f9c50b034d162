using ImageStore.Cli.Tests.Support;

namespace ImageStore.Cli.Tests;

public sealed class HelpTests : IAsyncDisposable
{
    private readonly Workbench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Theory]
    [InlineData("pull")]
    [InlineData("prepull")]
    [InlineData("jobs ls")]
    [InlineData("jobs show")]
    [InlineData("jobs cancel")]
    [InlineData("images ls")]
    [InlineData("images inspect")]
    [InlineData("images tag")]
    [InlineData("images rm")]
    [InlineData("images pin")]
    [InlineData("images unpin")]
    [InlineData("gc")]
    [InlineData("why")]
    [InlineData("fsck")]
    [InlineData("du")]
    [InlineData("maintain")]
    [InlineData("daemon")]
    [InlineData("config default")]
    [InlineData("config check")]
    [InlineData("namespaces create")]
    [InlineData("namespaces ls")]
    [InlineData("namespaces label")]
    [InlineData("namespaces quota")]
    [InlineData("namespaces rm")]
    [InlineData("lease create")]
    [InlineData("lease ls")]
    [InlineData("lease add")]
    [InlineData("lease rm")]
    [InlineData("content ls")]
    [InlineData("content get")]
    [InlineData("content rm")]
    [InlineData("snapshots ls")]
    [InlineData("snapshots tree")]
    [InlineData("snapshots prepare")]
    [InlineData("snapshots rm")]
    [InlineData("diff")]
    [InlineData("commit")]
    [InlineData("rebase")]
    [InlineData("mount")]
    [InlineData("unmount")]
    [InlineData("bundle")]
    [InlineData("unshare")]
    [InlineData("unpack")]
    [InlineData("info")]
    [InlineData("completion")]
    [InlineData("demo")]
    public async Task Help_OfACommand_HasExamplesOfIt(string command)
    {
        var help = await _bench.OkAsync([.. command.Split(' '), "--help"]);
        var examples = help[help.IndexOf("Examples:", StringComparison.Ordinal)..];
        Assert.Contains("imagestore", examples, StringComparison.Ordinal);
        Assert.Contains(command.Split(' ')[0], examples, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_OfTheProgram_HasExitCodesAndNoCommandsExamples()
    {
        var help = await _bench.OkAsync("--help");
        Assert.Contains("Exit codes:", help, StringComparison.Ordinal);
        Assert.DoesNotContain("Examples:", help, StringComparison.Ordinal);
        Assert.Equal(help, await _bench.OkAsync());
    }

    [Fact]
    public async Task Help_OfTheProgram_NamesEveryExitCodeThatTheReadmeHas()
    {
        var help = await _bench.OkAsync("--help");
        foreach (var code in Enumerable.Range(0, 14).Append(130).Append(143))
        {
            Assert.Matches($@"\b{code} [a-z]", help);
        }
    }
}
