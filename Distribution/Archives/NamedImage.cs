using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>An image of an archive.</summary>
/// <param name="Name">Its full reference or its tag, as the archive has it; null when it has none.</param>
/// <param name="Target">What it is.</param>
public sealed record NamedImage(string? Name, Descriptor Target)
{
    private const int MaxShown = 20;

    /// <summary>The image of <paramref name="images"/> that <paramref name="wanted"/> names: a full or short reference, a tag or a
    /// digest; the only one when it is empty.</summary>
    /// <exception cref="ImageStoreException">It is empty, and there are several.</exception>
    public static Descriptor? Find(IReadOnlyList<NamedImage> images, string wanted, string place)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(wanted);
        if (wanted.Length > 0)
        {
            return (Digest.TryParse(wanted, out var digest) ? images.FirstOrDefault(image => image.Target.Digest == digest) : null)?.Target
                ?? images.FirstOrDefault(image => image.Name == wanted)?.Target
                ?? images.FirstOrDefault(image => image.Name is { } name && SameImage(name, wanted))?.Target;
        }

        var different = images.DistinctBy(image => image.Target.Digest).ToList();
        return different.Count switch
        {
            0 => null,
            1 => different[0].Target,
            _ => throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"{Printable.Of(place)} holds {different.Count} images: {Names(images)}.",
                "Name the one that is meant after a colon, or import all of them."),
        };
    }

    private static string Names(IReadOnlyList<NamedImage> images) =>
        Printable.Of(string.Join(", ", images.Take(MaxShown).Select(image => image.Name ?? image.Target.Digest.ToString())))
        + (images.Count > MaxShown ? ", …" : string.Empty);

    private static bool SameImage(string name, string wanted)
    {
        try
        {
            var reference = ImageReference.Parse(name);
            return reference.Canonical == ImageReference.Parse(wanted).Canonical || reference.Tag == wanted;
        }
        catch (ImageStoreException)
        {
            // A name that is no reference matches only as it is.
            return false;
        }
    }
}

/// <summary>A source that knows all its images.</summary>
public interface IImageCollection : IImageSource
{
    /// <summary>All images, in the archive's order; one with several names is there for each.</summary>
    IReadOnlyList<NamedImage> Images { get; }
}
