using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Transfer;

/// <summary>The kinds of places that images are copied between.</summary>
public enum PlaceKind
{
    /// <summary>A repository of a registry: a reference.</summary>
    Registry,

    /// <summary>A folder in the OCI image layout: <c>oci:DIR[:TAG]</c>.</summary>
    OciLayout,

    /// <summary>A tar of an OCI image layout: <c>oci-archive:FILE[:TAG]</c>.</summary>
    OciArchive,

    /// <summary>What <c>docker save</c> writes: <c>docker-archive:FILE[:REF]</c>.</summary>
    DockerArchive,

    /// <summary>The store of the root directory: <c>store:REF</c>.</summary>
    Store,
}

/// <summary>A place as a user names it, in skopeo's spelling.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Path">The folder or file; <c>-</c> is standard input or output. Empty for a registry and the store.</param>
/// <param name="Name">The image in it: a reference, a tag, a digest; empty when none is named.</param>
public sealed record Place(PlaceKind Kind, string Path, string Name)
{
    private static readonly (string Prefix, PlaceKind Kind)[] s_prefixes =
    [
        ("oci:", PlaceKind.OciLayout), ("oci-archive:", PlaceKind.OciArchive), ("docker-archive:", PlaceKind.DockerArchive),
        ("store:", PlaceKind.Store), ("docker://", PlaceKind.Registry),
    ];

    /// <summary>Parses <paramref name="text"/>; without a known prefix it is a reference.</summary>
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static Place Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (prefix, kind) = s_prefixes.FirstOrDefault(entry => text.StartsWith(entry.Prefix, StringComparison.Ordinal));
        var rest = text[(prefix?.Length ?? 0)..];
        if (prefix is null || kind is PlaceKind.Registry or PlaceKind.Store)
        {
            // Parsed here too, so that a slip is told before anything is opened.
            _ = ImageReference.Parse(rest);
            return new Place(kind, string.Empty, rest);
        }

        // A path with a colon is as rare as a tag is usual; the first colon ends the path, as with skopeo.
        var colon = rest.IndexOf(':', StringComparison.Ordinal);
        var place = colon < 0 ? new Place(kind, rest, string.Empty) : new Place(kind, rest[..colon], rest[(colon + 1)..]);
        return place.Path.Length > 0
            ? place
            : throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(text)}' names no {(kind == PlaceKind.OciLayout ? "folder" : "file")}.",
                $"Write {prefix}{(kind == PlaceKind.OciLayout ? "DIR" : "FILE")}[:NAME].");
    }

    /// <summary>Is it standard input or output?</summary>
    public bool IsStandardStream => Path == "-";

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        PlaceKind.Registry => Name,
        PlaceKind.Store => $"store:{Name}",
        _ => s_prefixes.First(entry => entry.Kind == Kind).Prefix + Path + (Name.Length == 0 ? string.Empty : ":" + Name),
    };
}
