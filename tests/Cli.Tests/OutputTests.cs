using System.Text.Json;
using ImageStore.Cli.Tests.Support;

namespace ImageStore.Cli.Tests;

public sealed class OutputTests : IAsyncDisposable
{
    private readonly Workbench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task ImagesLs_Table_ShowsSizePlatformAndShortDigest()
    {
        var image = await _bench.StoredAsync();
        var lines = (await _bench.OkAsync("images", "ls")).TrimEnd('\n').Split('\n');
        Assert.Equal(["NAME", "DIGEST", "PLATFORMS", "SIZE", "AGE"], lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(image.Reference, lines[1], StringComparison.Ordinal);
        Assert.Contains($" {image.Manifest.Digest.Hex[..12]} ", lines[1], StringComparison.Ordinal);
        Assert.Contains(Store.Oci.Platform.Current.ToString(), lines[1], StringComparison.Ordinal);
        Assert.Contains("KiB", lines[1], StringComparison.Ordinal);
        Assert.Equal(2, lines.Length);
    }

    [Fact]
    public async Task ImagesLs_Json_IsAnArrayWithAllOfIt()
    {
        var image = await _bench.StoredAsync();
        var found = Assert.Single((await JsonAsync("images", "ls")).EnumerateArray());
        Assert.Equal(image.Reference, found.GetProperty("name").GetString());
        Assert.Equal(image.Manifest.Digest.ToString(), found.GetProperty("target").GetProperty("digest").GetString());
        Assert.True(found.GetProperty("size").GetInt64() > image.Layer.Size);
        Assert.Equal(Store.Oci.Platform.Current.ToString(), Assert.Single(found.GetProperty("platforms").EnumerateArray()).GetString());
        Assert.True(found.GetProperty("createdAt").GetDateTimeOffset() <= found.GetProperty("updatedAt").GetDateTimeOffset());
    }

    [Fact]
    public async Task ImagesLs_OfTagInAnotherPlace_HasTheSameSize()
    {
        await _bench.StoredAsync();
        await _bench.OkAsync("images", "tag", $"{_bench.Registry.Host}/app:1", "other:2");
        var sizes = (await JsonAsync("images", "ls")).EnumerateArray().Select(image => image.GetProperty("size").GetInt64()).ToList();
        Assert.Equal(2, sizes.Count);
        Assert.Single(sizes.Distinct());
    }

    [Theory]
    [InlineData("images ls")]
    [InlineData("content ls")]
    [InlineData("snapshots ls")]
    [InlineData("snapshots tree")]
    public async Task Lists_OfAnEmptyStore_AreEmptyArrays(string command) =>
        Assert.Equal(0, (await JsonAsync(command.Split(' '))).GetArrayLength());

    [Fact]
    public async Task Json_MediaTypesAndPlus_AreNotEscaped()
    {
        var image = await _bench.StoredAsync();
        var text = await _bench.OkAsync("--format", "json", "images", "inspect", image.Reference);
        Assert.Contains("manifest.v1+json", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\\u002", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_Json_SaysWhatItDid()
    {
        var image = TestImage.Add(_bench.Registry, "app");
        var first = await JsonAsync("--quiet", "pull", "--no-unpack", image.Reference);
        Assert.False(first.GetProperty("upToDate").GetBoolean());
        Assert.Equal(image.Manifest.Digest.ToString(), first.GetProperty("manifest").GetString());
        var requests = _bench.Registry.Requests.Count;
        var second = await JsonAsync("--quiet", "pull", "--no-unpack", image.Reference);
        Assert.True(second.GetProperty("upToDate").GetBoolean());
        Assert.Equal(requests + 1, _bench.Registry.Requests.Count);
    }

    [Fact]
    public async Task TagAndRm_Json_SayTheNames()
    {
        var image = await _bench.StoredAsync();
        Assert.Equal(
            "docker.io/library/other:latest", (await JsonAsync("images", "tag", image.Reference, "other")).GetProperty("name").GetString());
        var removed = await JsonAsync("images", "rm", "--no-gc", "other", image.Reference);
        Assert.Equal(
            ["docker.io/library/other:latest", image.Reference], removed.EnumerateArray().Select(name => name.GetString()));
        Assert.Equal(
            image.Layer.Digest.ToString(),
            Assert.Single((await JsonAsync("content", "rm", image.Layer.Digest.ToString())).EnumerateArray()).GetString());
    }

    [Fact]
    public async Task Rm_OneNameOfTwoIsAbsent_RemovesNothing()
    {
        var image = await _bench.StoredAsync();
        Assert.Equal(3, (await _bench.RunAsync("images", "rm", image.Reference, "absent")).ExitCode);
        Assert.Equal(1, (await JsonAsync("images", "ls")).GetArrayLength());
    }

    [Fact]
    public async Task Info_Json_CountsWhatIsThere()
    {
        await _bench.StoredAsync();
        var info = await JsonAsync("info");
        Assert.Equal(_bench.Root, info.GetProperty("root").GetString());
        Assert.Equal(1, info.GetProperty("images").GetInt32());
        Assert.Equal(3, info.GetProperty("blobs").GetInt32());
    }

    [Fact]
    public async Task Info_RootIsNotThere_SaysThatItIsEmpty()
    {
        var info = await JsonAsync("info");
        Assert.Equal(0, info.GetProperty("blobs").GetInt32());
        Assert.True(info.GetProperty("freeBytes").GetInt64() > 0);
        Assert.False(Directory.Exists(_bench.Root));
    }

    [Fact]
    public async Task Get_Blob_WritesItsBytes()
    {
        var image = await _bench.StoredAsync();
        var result = await _bench.BashAsync($"\"$BIN\" --root \"$ROOT\" content get {image.Layer.Digest} | sha256sum");
        Assert.StartsWith(image.Layer.Digest.Hex, result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MountUnpackUnmount_Json_SayWhere()
    {
        if (!Engine.Unpack.Privileges.CanMount)
        {
            Assert.Skip("needs the privilege to mount");
        }

        var image = await _bench.StoredAsync();
        var unpacked = await JsonAsync("--quiet", "unpack", image.Reference);
        var snapshots = await JsonAsync("snapshots", "tree");
        Assert.Equal(unpacked.GetProperty("chainId").GetString(), snapshots[0].GetProperty("name").GetString());
        var target = Directory.CreateDirectory(_bench.In("mnt")).FullName;
        var mounted = await JsonAsync("mount", image.Reference, target);
        try
        {
            Assert.True(mounted.GetProperty("mounted").GetBoolean());
            Assert.True(File.Exists(Path.Combine(target, TestImage.FileName)));
        }
        finally
        {
            Assert.False((await JsonAsync("unmount", target)).GetProperty("mounted").GetBoolean());
        }

        Assert.Equal(target, mounted.GetProperty("target").GetString());
        Assert.Empty(Directory.EnumerateFileSystemEntries(target));
    }

    private async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        using var document = JsonDocument.Parse(await _bench.OkAsync(["--format", "json", .. arguments]));
        return document.RootElement.Clone();
    }
}
