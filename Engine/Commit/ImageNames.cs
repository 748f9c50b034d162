using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Commit;

/// <summary>Names for images that are made here.</summary>
internal static class ImageNames
{
    /// <summary>The full name.</summary>
    /// <exception cref="ImageStoreException">It is malformed, or has a digest (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static string ForNew(string text)
    {
        var name = ImageReference.Parse(text);
        return name.Digest is null ? name.Canonical : throw new ImageStoreException(
            ErrorKind.InvalidArgument, $"{name} has a digest, and a new name cannot.", "Name a repository and a tag.");
    }
}
