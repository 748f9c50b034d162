using System.IO.Enumeration;
using Semver;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>Which tags of a repository are meant.</summary>
/// <param name="Names">Exact tags, or digests, which are taken whatever the rest says.</param>
/// <param name="Patterns">Tags with <c>*</c> and <c>?</c>.</param>
/// <param name="Except">Patterns of tags that are left out of what a pattern or range brought.</param>
/// <param name="Versions">A range of semantic versions, in npm's notation.</param>
/// <param name="Newest">How many of the highest versions.</param>
internal sealed record TagSelection(
    IReadOnlyList<string> Names,
    IReadOnlyList<string> Patterns,
    IReadOnlyList<string> Except,
    SemVersionRange? Versions,
    int? Newest)
{
    private const SemVersionStyles Loose = SemVersionStyles.Any;

    /// <summary>Has the registry to be asked which tags there are?</summary>
    public bool NeedsListing => Patterns.Count > 0 || Versions is not null || Newest is not null;

    /// <summary>One tag alone.</summary>
    public static TagSelection Of(string tag) => new([tag], [], [], null, null);

    /// <summary>Is it a pattern rather than a name?</summary>
    public static bool IsPattern(string tag) => tag.AsSpan().IndexOfAny('*', '?') >= 0;

    /// <summary>Parses a range such as <c>&gt;=1.2 &lt;2</c> or <c>1.x</c>; null when it is none.</summary>
    /// <param name="text">The range.</param>
    /// <param name="prereleases">Do versions such as 1.2.0-alpine count? Where a pattern already chose among them, they do.</param>
    public static SemVersionRange? ParseRange(string text, bool prereleases) =>
        SemVersionRange.TryParseNpm(text, prereleases, out var range) ? range : null;

    /// <summary>The exact names, then the chosen ones of <paramref name="tags"/>: the highest version first, else by name.</summary>
    public IReadOnlyList<string> Choose(IReadOnlyList<string> tags)
    {
        if (!NeedsListing)
        {
            return Names;
        }

        var found = tags.Where(tag => (Patterns.Count == 0 || Matches(Patterns, tag)) && !Matches(Except, tag))
            .Order(StringComparer.Ordinal).ToList();
        if (Versions is not null || Newest is not null)
        {
            var versions = found
                .Select(tag => (Tag: tag, Version: SemVersion.TryParse(tag, Loose, out var version) ? version : null))
                .Where(entry => entry.Version is not null && (Versions?.Contains(entry.Version) ?? true))
                .ToList();

            // With neither a pattern nor a range, the newest are releases: nobody means 2.0-rc1 by it.
            if (Versions is null && Patterns.Count == 0)
            {
                versions.RemoveAll(entry => entry.Version!.IsPrerelease);
            }

            found = [.. versions
                .OrderByDescending(entry => entry.Version!, SemVersion.PrecedenceComparer)
                .ThenByDescending(entry => entry.Tag, StringComparer.Ordinal)
                .Take(Newest ?? int.MaxValue)
                .Select(entry => entry.Tag)];
        }

        return [.. Names.Concat(found).Distinct(StringComparer.Ordinal)];
    }

    private static bool Matches(IReadOnlyList<string> patterns, string tag) =>
        patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, tag, ignoreCase: false));
}
