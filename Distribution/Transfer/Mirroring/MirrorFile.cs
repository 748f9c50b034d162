using ImageStore.Distribution.Registry;
using ImageStore.Store;
using ImageStore.Store.Configuration;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>Reads a <c>mirror.yaml</c>; a mistake is an error that names its line.</summary>
public static class MirrorFile
{
    private const int MaxBytes = 1024 * 1024;
    private const string Platforms = "platforms";
    private const string SparseKey = "sparse";
    private const string ReferrersKey = "referrers";
    private const string DigestTagsKey = "digest-tags";

    /// <summary>Reads the file at <paramref name="path"/>.</summary>
    /// <exception cref="ImageStoreException">It is missing, or has a mistake (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static MirrorConfig Read(string path) => Parse(SmallFile.ReadText(path, MaxBytes), path);

    internal static MirrorConfig Parse(string text, string file)
    {
        var root = YamlMap.Parse(text, file);
        root.RefuseOthers(
            "from", "to", "registry-in-path", Platforms, SparseKey, ReferrersKey, DigestTagsKey, "repositories");
        var options = Options(root, new CopyOptions());
        List<MirrorRepository> repositories = [];
        foreach (var (map, word, line) in root.Items("repositories"))
        {
            repositories.Add(map is null ? Short(file, word!, line, options) : Long(map, options));
        }

        if (repositories.Count == 0 && root.Text("from") is null)
        {
            throw YamlMap.Complaint(file, root.Line, "it names no repositories");
        }

        return new MirrorConfig
        {
            From = root.Text("from"),
            To = root.Text("to"),
            RegistryInPath = root.Flag("registry-in-path"),
            Repositories = repositories,
            Options = options,
        };
    }

    // "alpine:3.20" is an image, as everywhere else.
    private static MirrorRepository Short(string file, string word, long line, CopyOptions options)
    {
        try
        {
            var reference = ImageReference.Parse(word);
            return new MirrorRepository(reference, null, TagSelection.Of(reference.Identifier), options);
        }
        catch (ImageStoreException failure)
        {
            throw YamlMap.Complaint(file, line, failure.Message.TrimEnd('.'));
        }
    }

    private static MirrorRepository Long(YamlMap map, CopyOptions defaults)
    {
        map.RefuseOthers(
            "name", "to", "tags", "except", "versions", "newest", Platforms, SparseKey, ReferrersKey, DigestTagsKey);
        var name = map.Text("name") ?? throw map.Complaint("name", "is missing");
        var reference = map.Checked("name", () => ImageReference.Parse(name));
        if (reference.Digest is not null || name.LastIndexOf(':') > name.LastIndexOf('/'))
        {
            throw map.Complaint("name", "has a tag or digest, which belongs under 'tags'");
        }

        var target = map.Text("to");
        if (target is not null)
        {
            map.Checked("to", () => ImageReference.Parse($"any.example/{target}"));
        }

        return new MirrorRepository(reference, target, Tags(map), Options(map, defaults));
    }

    private static TagSelection Tags(YamlMap map)
    {
        var tags = map.Texts("tags") ?? [];
        foreach (var tag in tags.Where(tag => !TagSelection.IsPattern(tag) && !ReferenceGrammar.IsTag(tag) && !Digest.TryParse(tag, out _)))
        {
            throw map.Complaint("tags", $"has '{Printable.Of(tag)}', which is no tag, pattern or digest");
        }

        var patterns = tags.Where(TagSelection.IsPattern).ToList();
        var range = map.Text("versions") is { } text
            ? TagSelection.ParseRange(text, prereleases: patterns.Count > 0)
                ?? throw map.Complaint("versions", "is no range such as '>=1.2 <2', '1.x' or '^1.2'")
            : null;
        var selection = new TagSelection(
            [.. tags.Where(tag => !TagSelection.IsPattern(tag))], patterns, map.Texts("except") ?? [], range, map.PositiveNumber("newest"));
        return selection.Names.Count > 0 || selection.NeedsListing
            ? selection
            : throw map.Complaint("name", "says no 'tags', 'versions' or 'newest'; tags: \"*\" means all of them");
    }

    private static CopyOptions Options(YamlMap map, CopyOptions defaults) => new()
    {
        Platforms = map.Texts(Platforms) is { } texts
            ? [.. texts.Select(text => map.Checked(Platforms, () => Platform.Parse(text)))]
            : defaults.Platforms,
        Sparse = map.Has(SparseKey) ? map.Flag(SparseKey) : defaults.Sparse,
        Referrers = map.Has(ReferrersKey) ? map.Flag(ReferrersKey) : defaults.Referrers,
        DigestTags = map.Has(DigestTagsKey) ? map.Flag(DigestTagsKey) : defaults.DigestTags,
    };
}
