using ImageStore.Cli.Tests.Support;

namespace ImageStore.Cli.Tests;

public sealed class CompletionTests : IAsyncDisposable
{
    private readonly Workbench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Theory]
    [InlineData("imagestore ima", "images")]
    [InlineData("imagestore images ", "inspect ls pin rm tag unpin")]
    [InlineData("imagestore pull --snap", "--snapshotter")]
    [InlineData("imagestore pull --snapshotter ", "erofs native overlayfs")]
    [InlineData("imagestore --format ", "json table")]
    [InlineData("imagestore completion ", "bash fish zsh")]
    [InlineData("imagestore commit --compression ", "gzip none zstd")]
    [InlineData("imagestore bundle --net ", "host none")]
    [InlineData("imagestore bundle --snapshotter ", "erofs native overlayfs")]
    [InlineData("imagestore images inspect ", "")]
    public async Task Bash_OfCommandsAndOptions_OffersThem(string line, string expected) =>
        Assert.Equal(expected, await CompleteAsync(line));

    [Theory]
    [InlineData("images inspect")]
    [InlineData("images rm")]
    [InlineData("images tag")]
    [InlineData("mount")]
    [InlineData("bundle")]
    [InlineData("unpack")]
    [InlineData("diff")]
    [InlineData("rebase")]
    public async Task Bash_OfImages_OffersWhatTheStoreHas(string command)
    {
        var image = await _bench.StoredAsync();
        await _bench.OkAsync("images", "tag", image.Reference, "alpine:3");
        Assert.Equal("alpine:3", await CompleteAsync($"imagestore --root {_bench.Root} {command} alp"));

        // Readline has its own word after the colon.
        var (host, rest) = (image.Reference.Split(':')[0], image.Reference.Split(':', 2)[1]);
        Assert.Equal(rest, await CompleteAsync($"imagestore --root {_bench.Root} {command} {host}:"));
    }

    [Fact]
    public async Task Bash_OfDigestsAndNamespaces_OffersWhatTheStoreHas()
    {
        var image = await _bench.StoredAsync();
        Assert.Contains(image.Layer.Digest.Hex, await CompleteAsync($"imagestore --root {_bench.Root} content get sha256:"), StringComparison.Ordinal);
        Assert.Equal("default", await CompleteAsync($"imagestore --root {_bench.Root} --namespace "));
    }

    [Theory]
    [InlineData("zsh", "-n")]
    [InlineData("fish", "-n")]
    public async Task Scripts_OfOtherShells_AreWellFormed(string shell, string check)
    {
        Shell.Need(shell);
        var path = _bench.In("script");
        await File.WriteAllTextAsync(path, await _bench.OkAsync("completion", shell));
        var result = await Shell.RunAsync(shell, [check, path]);
        Assert.True(result.ExitCode == 0, result.Error);
    }

    /// <summary>What bash would offer, as its own function computes it.</summary>
    private async Task<string> CompleteAsync(string line)
    {
        var result = await _bench.BashAsync(
            $$"""
            source <("$BIN" completion bash)
            PATH=$(dirname "$(readlink -f "$BIN")"):$PATH
            complete -p imagestore >/dev/null || exit 9
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}} COMP_WORDS=(imagestore) COMP_CWORD=1
            _imagestore
            echo "${COMPREPLY[*]}"
            """);
        Assert.True(result.ExitCode == 0, result.Error);
        return result.Output.TrimEnd('\n');
    }
}
