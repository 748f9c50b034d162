using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Transfer;

/// <summary>Opens the places that a user names.</summary>
/// <param name="registry">The way to registries.</param>
/// <param name="engine">The store; null where no place of the command is in it.</param>
public sealed class PlaceOpener(RegistryClient registry, StoreEngine? engine)
{
    /// <summary>Opens <paramref name="place"/> to read from.</summary>
    /// <exception cref="ImageStoreException">It is not there, or cannot be read.</exception>
    public Task<IImageSource> SourceAsync(Place place, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(place);
        cancellationToken.ThrowIfCancellationRequested();
        return place.Kind switch
        {
            PlaceKind.Registry => Task.FromResult<IImageSource>(
                new RepositorySource(registry.Repository(ImageReference.Parse(place.Name)))),
            PlaceKind.Store => Task.FromResult(Engine(place).AsSource()),
            _ => throw Unknown(place),
        };
    }

    /// <summary>Opens <paramref name="place"/> to write to.</summary>
    /// <exception cref="ImageStoreException">It cannot be written.</exception>
    public Task<IImageTarget> TargetAsync(Place place, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(place);
        return place.Kind switch
        {
            PlaceKind.Registry => Task.FromResult<IImageTarget>(
                new RepositoryTarget(registry.Repository(ImageReference.Parse(place.Name)))),
            PlaceKind.Store => Engine(place).AsTargetAsync(static name => ImageReference.Parse(name).Canonical, cancellationToken),
            _ => throw Unknown(place),
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

    private static InvalidOperationException Unknown(Place place) => new($"{place} is of no known kind.");
}
