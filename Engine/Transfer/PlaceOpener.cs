using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Transfer;

/// <summary>Opens the places that a user names.</summary>
/// <param name="registry">The way to registries.</param>
/// <param name="engine">The store; null where no place of the command is in it.</param>
/// <param name="input">What an archive called <c>-</c> is read from.</param>
/// <param name="output">What an archive called <c>-</c> is written to.</param>
public sealed class PlaceOpener(RegistryClient registry, StoreEngine? engine, Func<Stream> input, Func<Stream> output)
{
    /// <summary>Opens <paramref name="place"/> to read from.</summary>
    /// <exception cref="ImageStoreException">It is not there, or cannot be read.</exception>
    public async Task<IImageSource> SourceAsync(Place place, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(place);
        return place.Kind switch
        {
            PlaceKind.Registry => new RepositorySource(registry.Repository(ImageReference.Parse(place.Name))),
            PlaceKind.Store => Engine(place).AsSource(),
            PlaceKind.OciLayout => OciLayoutSource.OpenFolder(place.Path),
            _ => await ImageArchive.OpenAsync(
                place.Path, place.IsStandardStream ? input() : null, cancellationToken).ConfigureAwait(false),
        };
    }

    /// <summary>Opens <paramref name="place"/> to write to.</summary>
    /// <exception cref="ImageStoreException">It cannot be written.</exception>
    public async Task<IImageTarget> TargetAsync(Place place, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(place);
        return place.Kind switch
        {
            PlaceKind.Registry => new RepositoryTarget(registry.Repository(ImageReference.Parse(place.Name))),
            PlaceKind.Store => await Engine(place).AsTargetAsync(
                static name => ImageReference.Parse(name).Canonical, cancellationToken).ConfigureAwait(false),
            PlaceKind.OciLayout => OciLayoutTarget.Open(place.Path),
            PlaceKind.OciArchive => place.IsStandardStream ? OciArchiveTarget.ToStream(output()) : OciArchiveTarget.ToFile(place.Path),
            _ => place.IsStandardStream ? DockerArchiveTarget.ToStream(output()) : DockerArchiveTarget.ToFile(place.Path),
        };
    }

    /// <summary>What the image of <paramref name="place"/> is called in it when it is read.</summary>
    public static string SourceName(Place place)
    {
        ArgumentNullException.ThrowIfNull(place);
        return place.Kind == PlaceKind.Registry ? ImageReference.Parse(place.Name).Identifier : place.Name;
    }

    /// <summary>What the image is to be called in <paramref name="place"/>; an archive without a name takes the one that it had.</summary>
    /// <returns>A tag or full name; null for a registry that is given a digest only.</returns>
    public static string? TargetName(Place place, Place source)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(source);
        return place.Kind switch
        {
            PlaceKind.Registry => ImageReference.Parse(place.Name).Tag,
            _ when place.Name.Length > 0 => place.Name,
            PlaceKind.OciArchive or PlaceKind.DockerArchive when source.Kind is PlaceKind.Registry or PlaceKind.Store =>
                ImageReference.Parse(source.Name) is { Tag: not null } named ? named.Canonical : string.Empty,
            _ => string.Empty,
        };
    }

    private StoreEngine Engine(Place place) =>
        engine ?? throw new InvalidOperationException($"{place} needs the store.");
}
