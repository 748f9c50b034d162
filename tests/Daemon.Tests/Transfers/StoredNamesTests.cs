using ImageStore.Daemon.Protocol.Transfers;
using ImageStore.Daemon.Transfers;
using ImageStore.Distribution.Archives;
using ImageStore.Store.Oci;

namespace ImageStore.Daemon.Tests.Transfers;

public sealed class StoredNamesTests
{
    private static readonly Descriptor s_target = new() { MediaType = MediaTypes.OciManifest, Digest = Digest.Compute("a"u8), Size = 1 };

    // What containerd's client asks for: 'ctr images import' with and without --base-name, --digests and --skip-digest-for-named.
    [Theory]
    [InlineData("docker.io/a/b:1", "import-2026", true, false, false, "docker.io/a/b:1")]
    [InlineData("latest", "import-2026", true, false, false, "import-2026:latest")]
    [InlineData(null, "import-2026", true, false, false, "")]
    [InlineData("docker.io/a/b:1", "docker.io/a", false, false, false, "docker.io/a/b:1")]
    [InlineData("docker.io/ab/c:1", "docker.io/a", false, false, false, "")]
    [InlineData("docker.io/a", "docker.io/a", false, false, false, "docker.io/a")]
    [InlineData("2", "docker.io/a", false, false, false, "docker.io/a:2")]
    [InlineData("other.io/x:1", "docker.io/a", false, true, false, "docker.io/a@DIGEST")]
    [InlineData("2", "docker.io/a", false, true, false, "docker.io/a:2 docker.io/a@DIGEST")]
    [InlineData("2", "docker.io/a", false, true, true, "docker.io/a:2")]
    [InlineData(null, "docker.io/a", false, true, true, "docker.io/a@DIGEST")]
    public void Of_AnImageOfAnArchive(string? name, string prefix, bool overwrite, bool digest, bool skip, string expected)
    {
        var reference = new ImageReference { Name = prefix, IsPrefix = true, AllowOverwrite = overwrite, AddDigest = digest, SkipNamedDigest = skip };

        var names = StoredNames.Of(new NamedImage(name, s_target), [reference, new ImageReference { Name = "not.a/prefix" }]);

        Assert.Equal(expected.Replace("DIGEST", s_target.Digest.ToString(), StringComparison.Ordinal), string.Join(' ', names));
    }

    [Fact]
    public void More_AreWholeNames_AndThoseByDigest()
    {
        var names = StoredNames.More(s_target.Digest, [
            new ImageReference { Name = "a.io/b:1" },
            new ImageReference { Name = "a.io/c", IsPrefix = true },
            new ImageReference { Name = "a.io/d", IsPrefix = true, AddDigest = true, SkipNamedDigest = true },
        ]);

        Assert.Equal(["a.io/b:1", $"a.io/d@{s_target.Digest}"], names);
    }
}
