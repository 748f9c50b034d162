using System.Globalization;
using ImageStore.Daemon.Protocol.Transfers;
using ImageStore.Distribution.Archives;
using ImageStore.Store;
using ImageStore.Store.Oci;

namespace ImageStore.Daemon.Transfers;

/// <summary>What images are called that a client wants to have stored.</summary>
internal static class StoredNames
{
    private const string BackReference = Labels.GcPrefix + "bref.image";

    /// <summary>The names of one image of an archive: those that it has there and a prefix allows or completes, and those by digest.</summary>
    public static IEnumerable<string> Of(NamedImage image, IEnumerable<ImageReference> references)
    {
        foreach (var reference in references.Where(reference => reference.IsPrefix))
        {
            var name = image.Name is { Length: > 0 } own ? Named(own, reference) : null;
            if (name is not null)
            {
                yield return name;
            }

            if (reference.AddDigest && (name is null || !reference.SkipNamedDigest))
            {
                yield return $"{reference.Name}@{image.Target.Digest}";
            }
        }
    }

    /// <summary>The names that an image gets beside its first.</summary>
    public static IEnumerable<string> More(Digest target, IEnumerable<ImageReference> references) => references
        .Where(reference => reference.AddDigest || !reference.IsPrefix)
        .Select(reference => reference.AddDigest ? $"{reference.Name}@{target}" : reference.Name);

    /// <summary>The labels of further names: each goes when the first does.</summary>
    public static IReadOnlyDictionary<string, string> LabelsOfMore(string first, IReadOnlyDictionary<string, string> labels, DateTimeOffset now) =>
        first.Length == 0 ? labels : Labels.Merge(labels, new Dictionary<string, string>
        {
            [BackReference] = first,
            [Labels.Expire] = now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        });

    // A tag alone gets the prefix; a full name has to begin with it, unless it may be any.
    private static string? Named(string own, ImageReference reference)
    {
        var prefix = reference.Name;
        return own.AsSpan().IndexOfAny("/:@") < 0 ? $"{prefix}:{own}"
            : reference.AllowOverwrite || (own.StartsWith(prefix, StringComparison.Ordinal) && (own.Length == prefix.Length || own[prefix.Length] is '/' or ':' or '@')) ? own
            : null;
    }
}
