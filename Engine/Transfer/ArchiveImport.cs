using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Transfer;

/// <summary>Brings images of an archive into the store: all bytes first, all names last.</summary>
public static class ArchiveImport
{
    /// <summary>Imports every image of <paramref name="archive"/>, or the one that <paramref name="only"/> names.</summary>
    /// <param name="engine">The store.</param>
    /// <param name="archive">Where from.</param>
    /// <param name="only">One image of several, by its name or digest; null for all.</param>
    /// <param name="name">The name that the image gets instead of its own; only where there is one.</param>
    /// <param name="options">Platforms and referrers.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops the import; what came is kept for a repeat.</param>
    /// <returns>The names and what they stand for.</returns>
    /// <exception cref="ImageStoreException">The archive is damaged, or an image in it has no name and none was given.</exception>
    public static async Task<IReadOnlyList<NamedImage>> RunAsync(
        StoreEngine engine,
        IImageCollection archive,
        string? only,
        string? name,
        CopyOptions options,
        TransferProgress progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(archive);
        var wanted = await ChooseAsync(archive, only, name, cancellationToken).ConfigureAwait(false);
        return await BringAsync(engine.Own, archive, wanted, options, Labels.None, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Brings images under the names that they have in the list.</summary>
    internal static async Task<IReadOnlyList<NamedImage>> BringAsync(
        TenantImages images,
        IImageCollection archive,
        IReadOnlyList<NamedImage> wanted,
        CopyOptions options,
        IReadOnlyDictionary<string, string> labels,
        TransferProgress progress,
        CancellationToken cancellationToken)
    {
        var target = await images.AsTargetAsync(static full => full, cancellationToken).ConfigureAwait(false);
        await using var closing = target.ConfigureAwait(false);
        var locations = new BlobLocations();
        List<(string Name, Descriptor Target)> done = [];
        foreach (var group in wanted.GroupBy(image => image.Target.Digest))
        {
            // Without a name for now: half an archive under its names would look like all of it.
            var root = group.First().Target;
            var copied = await new ImageCopier(
                archive, target, await ForPartAsync(archive, root, options, cancellationToken).ConfigureAwait(false), locations)
                .CopyAsync(root, tag: null, progress, cancellationToken).ConfigureAwait(false);
            done.AddRange(group.Select(image => (image.Name!, copied.Target)));
        }

        foreach (var (full, descriptor) in done)
        {
            await images.NameAsync(full, descriptor, labels, cancellationToken).ConfigureAwait(false);
        }

        await target.CompleteAsync(cancellationToken).ConfigureAwait(false);
        return [.. done.Select(image => new NamedImage(image.Name, image.Target))];
    }

    // What was exported for one platform keeps the index of all; a part of a platform, though, is damage.
    private static async Task<CopyOptions> ForPartAsync(
        IImageCollection archive, Descriptor root, CopyOptions options, CancellationToken cancellationToken) =>
        options.Platforms is null && await HeldParts.PlatformsAsync(archive, root, cancellationToken).ConfigureAwait(false) is { Count: > 0 }
            ? options with { Sparse = true }
            : options;

    private static async Task<List<NamedImage>> ChooseAsync(
        IImageCollection archive, string? only, string? name, CancellationToken cancellationToken)
    {
        if (only is not null || name is not null)
        {
            var found = await archive.FindAsync(only ?? string.Empty, cancellationToken).ConfigureAwait(false)
                ?? throw new ImageStoreException(
                    ErrorKind.NotFound, $"{Printable.Of(archive.Name)} holds no image {Printable.Of(only ?? string.Empty)}.", "Check the name.");
            return [new NamedImage(Full(archive, name ?? only!), found)];
        }

        // What only refers to another image has no name of its own, and comes along with that one.
        List<NamedImage> images = [];
        foreach (var image in archive.Images)
        {
            if (image.Name is not null || !await IsReferrerAsync(archive, image.Target, cancellationToken).ConfigureAwait(false))
            {
                images.Add(image with { Name = Full(archive, image.Name ?? throw Unnamed(archive)) });
            }
        }

        return images.Count > 0
            ? images
            : throw new ImageStoreException(ErrorKind.NotFound, $"{Printable.Of(archive.Name)} holds no image.");
    }

    internal static async Task<bool> IsReferrerAsync(IImageSource archive, Descriptor image, CancellationToken cancellationToken)
    {
        var manifest = await archive.FetchManifestAsync(image, cancellationToken).ConfigureAwait(false);
        return DocumentLinks.Parse(manifest.Bytes, image.MediaType).Subject is not null;
    }

    private static string Full(IImageCollection archive, string name)
    {
        // A tag alone, as skopeo writes it, says of which repository nothing.
        return name.AsSpan().IndexOfAny('/', ':') >= 0 ? ImageReference.Parse(name).Canonical : throw Unnamed(archive);
    }

    private static ImageStoreException Unnamed(IImageCollection archive) => new(
        ErrorKind.InvalidArgument,
        $"{Printable.Of(archive.Name)} holds an image without a full name.",
        "Give it one with --name.");
}
