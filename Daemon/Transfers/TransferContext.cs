using ImageStore.Daemon.Authorization;
using ImageStore.Daemon.Events;
using ImageStore.Daemon.Streaming;
using ImageStore.Engine.Serving;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Oci;
using Stored = ImageStore.Daemon.Protocol.Transfers.ImageStore;
using Wired = ImageStore.Runtime.Protocol.Types.Platform;

namespace ImageStore.Daemon.Transfers;

/// <summary>What the transfers of one call have in common: whose they are, who hears of them, and how images get their names.</summary>
internal sealed class TransferContext(ServedStore store, Tenant tenant, Caller caller, StreamTable streams, EventHub events, string progressStream)
{
    /// <summary>More names, platforms or headers than this nobody asks for at once.</summary>
    private const int MaxListed = 1024;

    public ServedStore Store => store;

    /// <summary>What does the work.</summary>
    public ServedTransfers Transfers { get; } = store.Transfers(tenant.Namespace);

    /// <summary>May the caller do everything, as root may?</summary>
    public bool IsRoots => caller.MayEverything;

    /// <summary>Takes a stream of the client's.</summary>
    /// <exception cref="ImageStoreException">There is none of that name (<see cref="ErrorKind.NotFound"/>).</exception>
    public ClientStream Take(string id) => streams.Take(new StreamName(tenant.Namespace, caller.Peer?.User, id));

    /// <summary>A directory of this machine that the client names.</summary>
    /// <exception cref="ImageStoreException">It may not (<see cref="ErrorKind.PermissionDenied"/>).</exception>
    public string Directory(string directory) => caller.MayEverything ? directory : throw Denial.Directory(caller, directory);

    /// <summary>Tells the client how far it is, when it wants to hear it.</summary>
    public ProgressReport Report(string image, string moving) =>
        new(progressStream.Length > 0 ? Take(progressStream) : null, image, moving, store.Time);

    /// <summary>What becomes of an image.</summary>
    public static ImageDestination Destination(Stored image) => new(
        image.Name,
        image.Labels,
        Platforms(image.Platforms),
        [.. Checked(image.Unpacks).Select(unpack => new UnpackTarget(
            unpack.Platform is { } platform ? Platforms([platform])[0] : Platform.Current,
            unpack.Snapshotter.Length > 0 ? unpack.Snapshotter : null))]);

    /// <summary>Platforms as clients name them.</summary>
    public static IReadOnlyList<Platform> Platforms(IReadOnlyCollection<Wired> platforms) => [.. Checked(platforms).Select(platform => new Platform
    {
        Os = platform.Os.Length > 0 ? platform.Os : Platform.Current.Os,
        Architecture = platform.Architecture.Length > 0 ? platform.Architecture : Platform.Current.Architecture,
        Variant = platform.Variant.Length > 0 ? platform.Variant : null,
        OsVersion = platform.OsVersion.Length > 0 ? platform.OsVersion : null,
    }.Normalize())];

    /// <summary>Gives what the namespace has all the names that a client wants for it.</summary>
    /// <exception cref="ImageStoreException">It wants none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public async Task NameAsync(Stored image, Descriptor target, CancellationToken cancellationToken)
    {
        var more = StoredNames.More(target.Digest, image.ExtraReferences).ToList();
        if (image.Name.Length == 0 && more.Count == 0)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, "The request does not say what the image is to be called.");
        }

        if (image.Name.Length > 0)
        {
            await NameAsync(image.Name, target, image.Labels, cancellationToken).ConfigureAwait(false);
        }

        await NameMoreAsync(image, target, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives it the names beside the first, which it has.</summary>
    public async Task NameMoreAsync(Stored image, Descriptor target, CancellationToken cancellationToken)
    {
        var labels = StoredNames.LabelsOfMore(image.Name, image.Labels, store.Time.GetUtcNow());
        foreach (var name in StoredNames.More(target.Digest, image.ExtraReferences))
        {
            await NameAsync(name, target, labels, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether the namespace has an image of that name.</summary>
    public bool Has(string name) => tenant.Images.Find(name) is not null;

    /// <summary>Has others hear of an image.</summary>
    public void Publish(ImageRecord image, bool isNew)
    {
        store.Changed(deletion: false);
        if (isNew)
        {
            events.PublishCreated(tenant.Namespace, image);
        }
        else
        {
            events.PublishUpdated(tenant.Namespace, image);
        }
    }

    /// <summary>A list of the client's, when it is no longer than anybody needs.</summary>
    /// <exception cref="ImageStoreException">It is (<see cref="ErrorKind.LimitExceeded"/>).</exception>
    public static IReadOnlyCollection<T> Checked<T>(IReadOnlyCollection<T> listed) => listed.Count <= MaxListed
        ? listed
        : throw new ImageStoreException(ErrorKind.LimitExceeded, $"The request lists {listed.Count} names, platforms or headers.", $"At most {MaxListed} are taken.");

    private async Task NameAsync(string name, Descriptor target, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var isNew = !Has(name);
        Publish(await Transfers.NameAsync(name, target, labels, cancellationToken).ConfigureAwait(false), isNew);
    }
}
