using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>Where a mirror's images go: below a prefix of a registry, or all into one layout or archive.</summary>
internal sealed class MirrorTarget : IAsyncDisposable
{
    private readonly RegistryClient _registry;
    private readonly MirrorPrefix? _prefix;
    private readonly IImageTarget? _shared;
    private readonly string? _path;

    private MirrorTarget(RegistryClient registry, MirrorPrefix? prefix, IImageTarget? shared, string? path) =>
        (_registry, _prefix, _shared, _path) = (registry, prefix, shared, path);

    public ContentsBuilder Contents { get; } = new();

    public bool IsArchive => _shared is OciArchiveTarget;

    /// <summary>The layout, where it is one.</summary>
    public OciLayoutTarget? Layout => _shared as OciLayoutTarget;

    /// <summary>Opens what <paramref name="text"/> names.</summary>
    /// <exception cref="ImageStoreException">It is no place that can be mirrored to, or cannot be written.</exception>
    public static MirrorTarget Open(RegistryClient registry, string text, bool registryInPath, bool dryRun, Func<Stream> output)
    {
        if (!text.StartsWith("oci:", StringComparison.Ordinal) && !text.StartsWith("oci-archive:", StringComparison.Ordinal))
        {
            return new MirrorTarget(registry, MirrorPrefix.Parse(text, registryInPath), null, null);
        }

        var place = Place.Parse(text);
        if (place.Name.Length > 0)
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(text)}' names one image; a mirror's images have names of their own.",
                "Leave out the name.");
        }

        // A dry run makes no folder: what is not there yet is as empty as a new archive.
        IImageTarget shared = place.Kind == PlaceKind.OciLayout && (!dryRun || Directory.Exists(place.Path)) ? OciLayoutTarget.Open(place.Path)
            : place.IsStandardStream || dryRun ? OciArchiveTarget.ToStream(dryRun ? Stream.Null : output())
            : OciArchiveTarget.ToFile(place.Path);
        var target = new MirrorTarget(registry, null, shared, place.IsStandardStream ? null : place.Path);
        if (shared is OciArchiveTarget archive)
        {
            archive.Contents = target.Contents.Build;
        }

        return target;
    }

    /// <summary>What the image is called there, in full.</summary>
    public string NameOf(MirrorImage image) => _prefix?.Map(image.Source, image.Path).Canonical ?? image.Source.Canonical;

    /// <summary>What a repository of the source is there; null where all is in one place.</summary>
    public ImageReference? Map(ImageReference source, string? path) => _prefix?.Map(source, path);

    /// <summary>The way for one image, to be disposed after it; it leaves the place itself open.</summary>
    public IImageTarget For(MirrorImage image, IReadOnlyList<IHoldings> have) => _prefix is not null
        ? new RepositoryTarget(_registry.Repository(_prefix.Map(image.Source, image.Path)))
        : new ArchiveEntryTarget(_shared!, Contents, image, have);

    /// <summary>What the image's name is there: a tag of a repository, or a full name; null where only the digest is pushed.</summary>
    public string? TagOf(MirrorImage image) => _prefix is not null ? image.Source.Tag : image.Source.Canonical;

    /// <summary>The bytes that are free where it is written; null for a registry or a stream.</summary>
    public long? FreeBytes()
    {
        if (_path is null)
        {
            return null;
        }

        var directory = Path.GetFullPath(_path);
        while (!Directory.Exists(directory))
        {
            directory = Path.GetDirectoryName(directory)!;
        }

        return new DriveInfo(directory).AvailableFreeSpace;
    }

    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (_shared is not null)
        {
            await _shared.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_shared is not null)
        {
            await _shared.DisposeAsync().ConfigureAwait(false);
        }
    }
}
