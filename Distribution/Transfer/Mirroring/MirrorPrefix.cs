using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>What the names of mirrored repositories begin with: a registry, and a path in it where there is one.</summary>
/// <param name="Text">Such as <c>registry.example.com/mirror</c>.</param>
/// <param name="RegistryInPath">Does the source's registry become a part of the path?</param>
internal sealed record MirrorPrefix(string Text, bool RegistryInPath)
{
    /// <summary>Parses a prefix.</summary>
    /// <exception cref="ImageStoreException">It names no registry.</exception>
    public static MirrorPrefix Parse(string text, bool registryInPath)
    {
        var bare = text.TrimEnd('/');
        var host = bare.Split('/')[0];
        var isHost = host == "localhost" || host.AsSpan().IndexOfAny('.', ':') >= 0;
        if (isHost && ImageReference.Parse($"{bare}/any") is not null)
        {
            return new MirrorPrefix(bare, registryInPath);
        }

        throw new ImageStoreException(
            ErrorKind.InvalidArgument,
            $"'{Printable.Of(text)}' names no registry to mirror to.",
            "Write HOST[:PORT][/PATH], oci:DIR or oci-archive:FILE.");
    }

    /// <summary>What <paramref name="image"/> is called there.</summary>
    /// <param name="image">The image at its source.</param>
    /// <param name="path">The path that was chosen for its repository; null for its own.</param>
    public ImageReference Map(ImageReference image, string? path)
    {
        // A port's colon is not allowed in a path.
        var registry = RegistryInPath ? image.Registry.Replace(':', '-') + "/" : string.Empty;
        var end = image.Digest is { } digest ? $"@{digest}" : $":{image.Tag}";
        return ImageReference.Parse($"{Text}/{path ?? registry + image.Repository}{end}");
    }
}
