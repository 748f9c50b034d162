using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Registry;

/// <summary>An image's name as Docker's users write it: registry, repository, and a tag or digest.</summary>
public sealed record ImageReference
{
    /// <summary>The registry of names that say none.</summary>
    public const string DefaultRegistry = "docker.io";

    private const string DefaultTag = "latest";
    private const string DefaultNamespace = "library/";

    private ImageReference(string registry, string repository, string? tag, Digest? digest)
    {
        Registry = registry;
        Repository = repository;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>The registry's host, with its port where it has one.</summary>
    public string Registry { get; }

    /// <summary>The repository's path in the registry.</summary>
    public string Repository { get; }

    /// <summary>The tag, if one is named; <c>latest</c> where neither tag nor digest is.</summary>
    public string? Tag { get; }

    /// <summary>The digest, if one is named.</summary>
    public Digest? Digest { get; }

    /// <summary>Registry and repository, without tag and digest.</summary>
    public string RepositoryName => $"{Registry}/{Repository}";

    /// <summary>The full name, as containerd keeps it; a digest displaces the tag.</summary>
    public string Canonical => Digest is { } digest ? $"{RepositoryName}@{digest}" : $"{RepositoryName}:{Tag}";

    /// <summary>What a registry is asked for: the digest, else the tag.</summary>
    public string Identifier => Digest?.ToString() ?? Tag ?? DefaultTag;

    /// <summary>Parses <paramref name="text"/>; a short name means Docker Hub.</summary>
    /// <exception cref="ImageStoreException">It is no image name (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static ImageReference Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var name = text;
        Digest? digest = null;
        var at = name.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0)
        {
            digest = Store.Oci.Digest.TryParse(name[(at + 1)..], out var parsed)
                ? parsed
                : throw Bad(text, "what follows '@' is not a digest");
            name = name[..at];
        }

        string? tag = null;
        var colon = name.LastIndexOf(':');
        if (colon > name.LastIndexOf('/'))
        {
            tag = name[(colon + 1)..];
            name = name[..colon];
            if (!ReferenceGrammar.IsTag(tag))
            {
                throw Bad(text, "its tag is not 1 to 128 letters, digits, '_', '.' or '-'");
            }
        }

        var (registry, repository) = SplitRegistry(name);
        if (ReferenceGrammar.Complaint(registry, repository) is { } complaint)
        {
            throw Bad(text, complaint);
        }

        return new ImageReference(registry, repository, tag ?? (digest is null ? DefaultTag : null), digest);
    }

    /// <inheritdoc/>
    public override string ToString() => Canonical;

    private static (string Registry, string Repository) SplitRegistry(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? string.Empty : name[..slash];
        if (first != "localhost" && first.AsSpan().IndexOfAny('.', ':') < 0)
        {
            return (DefaultRegistry, slash < 0 ? DefaultNamespace + name : name);
        }

        var rest = name[(slash + 1)..];
        if (first is DefaultRegistry or "index.docker.io" or "registry-1.docker.io")
        {
            return (DefaultRegistry, rest.Contains('/', StringComparison.Ordinal) ? rest : DefaultNamespace + rest);
        }

        return (first, rest);
    }

    private static ImageStoreException Bad(string text, string why) => new(
        ErrorKind.InvalidArgument,
        $"'{Printable.Of(text)}' is not an image name: {why}.",
        "Write [HOST[:PORT]/]NAME[:TAG][@DIGEST], for example alpine:3.20.");
}
