using ImageStore.Engine.Prepull;
using ImageStore.Engine.Pull;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Tests.Prepull;

/// <summary>prepull.yaml, and its mistakes.</summary>
public sealed class PrepullSetFileTests : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("prepull-file-");

    public void Dispose() => _work.Delete(recursive: true);

    [Fact]
    public void Read_AllThatThereIs_IsUnderstood_AndAnImageSaysItAnew()
    {
        var auth = Path.Combine(_work.FullName, "auth.json");
        File.WriteAllText(auth, "{}");
        var path = Path.Combine(_work.FullName, "prepull.yaml");
        File.WriteAllText(path,
            """
            name: base
            priority: 5
            platforms: [linux/amd64, linux/arm64]
            credentials: auth.json
            policy: missing
            snapshotter: native
            window: "22:00-05:00"
            limit-rate: 20M
            keep-free: 10%
            images:
              - alpine:3.20
              - name: registry.example/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
                priority: -1
                platforms: linux/riscv64
                pin: false
                policy: always
                snapshotter: overlayfs
                unpack: false
                window: none
                limit-rate: none
                keep-free: 1G
                plain-http: true
            """);

        var set = PrepullSetFile.Read(path);

        Assert.Equal("base", set.Name);
        var (first, second) = (set.Images[0], set.Images[1]);
        Assert.Equal("docker.io/library/alpine:3.20", first.Name);
        Assert.StartsWith("registry.example/app@sha256:", second.Name, StringComparison.Ordinal);
        Assert.Equal(
            (5, true, auth, PullPolicy.Missing, "native", true, false),
            (first.Terms.Priority, first.Terms.Pin, first.Terms.Credentials, first.Terms.Policy, first.Terms.Snapshotter, first.Terms.Unpack, first.Terms.PlainHttp));
        Assert.Equal(["linux/amd64", "linux/arm64"], first.Terms.Platforms.Select(platform => platform.ToString()));
        Assert.Equal("22:00-05:00", first.Terms.Window.ToString());
        Assert.Equal((20L << 20, DiskFloor.Parse("10%")), (first.Terms.BytesPerSecond, first.Terms.KeepFree));
        Assert.Equal(
            (-1, false, auth, PullPolicy.Always, "overlayfs", false, true),
            (second.Terms.Priority, second.Terms.Pin, second.Terms.Credentials, second.Terms.Policy, second.Terms.Snapshotter, second.Terms.Unpack, second.Terms.PlainHttp));
        Assert.Equal("linux/riscv64", Assert.Single(second.Terms.Platforms).ToString());
        Assert.Equal((null, null, DiskFloor.Parse("1G")), (second.Terms.Window, second.Terms.BytesPerSecond, second.Terms.KeepFree));
    }

    [Theory]
    [InlineData("", 1, "empty")]
    [InlineData("a: [b", 2, "")]
    [InlineData("name: a\nname: b", 2, "")]
    [InlineData("images: [alpine]", 1, "'name' is missing")]
    [InlineData("name: 'a/b'\nimages: [alpine]", 1, "'name' has to be")]
    [InlineData("name: a", 1, "no images")]
    [InlineData("name: a\nimages: alpine", 2, "has to be a list")]
    [InlineData("name: a\nimage: [alpine]", 2, "'image' is not known")]
    [InlineData("name: a\nimages:\n - alpine\n - Not/Valid!", 4, "is not an image name")]
    [InlineData("name: a\nimages:\n - alpine\n - name: docker.io/library/alpine:latest", 4, "docker.io/library/alpine:latest is in line 3 already")]
    [InlineData("name: a\nimages:\n - priority: 3", 3, "'name' is missing")]
    [InlineData("name: a\nimages:\n - name: alpine\n   prio: 3", 4, "'prio' is not known")]
    [InlineData("name: a\nimages:\n - name: alpine\n   priority: high", 4, "whole number")]
    [InlineData("name: a\nplatforms: linux/\nimages: [alpine]", 2, "'platforms' is wrong: 'linux/' is not a platform")]
    [InlineData("name: a\npin: maybe\nimages: [alpine]", 2, "true or false")]
    [InlineData("name: a\npolicy: never\nimages: [alpine]", 2, "always or missing")]
    [InlineData("name: a\nsnapshotter: zfs\nimages: [alpine]", 2, "one of overlayfs")]
    [InlineData("name: a\ncredentials: /nowhere/auth.json\nimages: [alpine]", 2, "/nowhere/auth.json, which is not there")]
    [InlineData("name: a\nwindow: nightly\nimages: [alpine]", 2, "'window' is wrong: 'nightly' is no window")]
    [InlineData("name: a\nlimit-rate: fast\nimages: [alpine]", 2, "bytes a second")]
    [InlineData("name: a\nkeep-free: 120%\nimages: [alpine]", 2, "'keep-free' is wrong: '120%'")]
    public void Parse_Mistake_IsNamedWithItsLine(string text, int line, string reason)
    {
        var failure = Assert.Throws<ImageStoreException>(() => PrepullSetFile.Parse(text, "prepull.yaml"));

        Assert.Equal(ErrorKind.InvalidArgument, failure.Kind);
        Assert.Contains($"prepull.yaml, line {line}: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        Assert.False(string.IsNullOrEmpty(failure.Remedy));
    }

    [Fact]
    public void Parse_TooManyImages_IsRefused()
    {
        var images = string.Concat(Enumerable.Range(0, PrepullSetFile.MaxImages).Select(i => $" - alpine:{i}\n"));
        Assert.Equal(PrepullSetFile.MaxImages, PrepullSetFile.Parse("name: a\nimages:\n" + images, "f").Images.Count);

        var failure = Assert.Throws<ImageStoreException>(() => PrepullSetFile.Parse("name: a\nimages:\n" + images + " - alpine:more\n", "f"));
        Assert.Contains("at most 1000 images", failure.Message, StringComparison.Ordinal);
    }
}
