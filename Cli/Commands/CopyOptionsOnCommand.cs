using System.CommandLine;
using ImageStore.Distribution.Transfer;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Commands;

/// <summary>The options that say what of an image is copied; <c>copy</c>, <c>push</c> and <c>export</c> share them.</summary>
internal sealed class CopyOptionsOnCommand
{
    private readonly Option<string[]> _platforms = new("--platform")
    {
        Description = "Only this platform of an index, such as linux/arm64; may be given again",
    };

    private readonly Option<bool> _sparse = new("--sparse") { Description = "Keep the index as it is, without the other platforms' images" };
    private readonly Option<bool> _referrers = new("--referrers") { Description = "With signatures, SBOMs and all else that refers to the image" };
    private readonly Option<bool> _digestTags = new("--digest-tags") { Description = "With cosign's tags sha256-….sig, .att and .sbom" };

    public Option<bool> DryRun { get; } = new("--dry-run") { Description = "Tell what would be copied, and copy nothing" };

    public void AddTo(Command command, bool dryRun)
    {
        foreach (var option in (Option[])[_platforms, _sparse, _referrers, _digestTags])
        {
            command.Options.Add(option);
        }

        if (dryRun)
        {
            command.Options.Add(DryRun);
        }
    }

    public CopyOptions Of(Session session, bool onePlatform) => new()
    {
        Platforms = session.Value(_platforms) is { Length: > 0 } given ? [.. given.Select(Platform.Parse)]
            : onePlatform ? [Platform.Current]
            : null,
        Sparse = session.Value(_sparse),
        Referrers = session.Value(_referrers),
        DigestTags = session.Value(_digestTags),
        DryRun = session.Value(DryRun),
    };
}
