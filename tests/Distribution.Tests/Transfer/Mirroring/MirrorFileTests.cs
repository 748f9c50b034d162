using ImageStore.Distribution.Transfer.Mirroring;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Tests.Transfer.Mirroring;

/// <summary>mirror.yaml, and its mistakes.</summary>
public sealed class MirrorFileTests
{
    [Fact]
    public void Parse_AllThatThereIs_IsUnderstood()
    {
        var config = MirrorFile.Parse(
            """
            to: registry.example/mirror
            registry-in-path: true
            platforms: [linux/amd64, linux/arm64]
            referrers: true
            repositories:
              - alpine:3.20
              - name: registry.example/app
                to: base/app
                tags: [stable, "1.*"]
                except: "*-rc*"
                versions: ">=1.2 <2"
                newest: 3
                platforms: linux/riscv64
                referrers: false
                digest-tags: true
              - ghcr.io/a/b@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
            """,
            "mirror.yaml");

        Assert.Equal(("registry.example/mirror", true), (config.To, config.RegistryInPath));
        Assert.Equal(
            ["docker.io/library/alpine", "registry.example/app", "ghcr.io/a/b"], config.Repositories.Select(one => one.Source.RepositoryName));
        Assert.Equal(["3.20"], config.Repositories[0].Tags.Names);
        Assert.Equal(2, config.Repositories[0].Options.Platforms!.Count);
        Assert.True(config.Repositories[0].Options.Referrers);
        var app = config.Repositories[1];
        Assert.Equal(("base/app", 3), (app.Target, app.Tags.Newest));
        Assert.False(app.Options.Referrers);
        Assert.True(app.Options.DigestTags);
        Assert.Single(app.Options.Platforms!);
        Assert.StartsWith("sha256:", Assert.Single(config.Repositories[2].Tags.Names), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 1, "empty")]
    [InlineData("- a", 1, "one mapping")]
    [InlineData("a: b", 1, "'a' is not known")]
    [InlineData("to: x\nto: y", 2, "")]
    [InlineData("to: x\nrepositories: alpine", 2, "has to be a list")]
    [InlineData("to: x", 1, "no repositories")]
    [InlineData("repositories:\n - alpine\n - Not/Valid!", 3, "is not an image name")]
    [InlineData("repositories:\n - name: alpine", 2, "says no 'tags'")]
    [InlineData("repositories:\n - tags: a", 2, "'name' is missing")]
    [InlineData("repositories:\n - name: alpine:3\n   tags: a", 2, "belongs under 'tags'")]
    [InlineData("repositories:\n - name: alpine\n   tags: [a b]", 3, "'a b'")]
    [InlineData("repositories:\n - name: alpine\n   versions: '>=a'", 3, "is no range")]
    [InlineData("repositories:\n - name: alpine\n   newest: none", 3, "number of 1 or more")]
    [InlineData("repositories:\n - name: alpine\n   tags: a\n   platforms: [linux/]", 4, "'platforms'")]
    [InlineData("repositories:\n - name: alpine\n   tags: a\n   to: UPPER", 4, "'to'")]
    [InlineData("repositories:\n - name: alpine\n   tags: a\n   referrers: maybe", 4, "true or false")]
    [InlineData("repositories:\n - name: alpine\n   tag: a", 3, "'tag' is not known")]
    [InlineData("a: [b", 2, "")]
    public void Parse_Mistake_IsNamedWithItsLine(string text, int line, string reason)
    {
        var failure = Assert.Throws<ImageStoreException>(() => MirrorFile.Parse(text, "mirror.yaml"));

        Assert.Equal(ErrorKind.InvalidArgument, failure.Kind);
        Assert.Contains($"mirror.yaml, line {line}: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_NestsForEver_IsRefusedAndNoEndOfTheProcess()
    {
        var deep = "to: " + new string('[', 200_000);

        Assert.Throws<ImageStoreException>(() => MirrorFile.Parse(deep, "mirror.yaml"));
    }
}
