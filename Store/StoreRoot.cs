using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Interop;
using ImageStore.Store.Leases;
using ImageStore.Store.Metadata;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;
using ImageStore.Store.Resources;

namespace ImageStore.Store;

/// <summary>An open root directory: its lock, its database and its bytes.</summary>
/// <remarks>The owner disposes it, last of all that came from it.</remarks>
public sealed class StoreRoot : IAsyncDisposable
{
    private const string LockName = "lock";
    private const string MetadataName = "metadata";
    private const string ContentName = "content";
    private const string QuarantineName = "quarantine";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly RootLock? _lock;
    private readonly TimeProvider _time;
    private readonly BlobPaths _paths;
    private readonly BlobFiles _files;
    private readonly ContentGuards _guards = new();
    private readonly ContentSharing _sharing;

    private StoreRoot(string directory, RootLock? held, MetadataDb db, StoreOptions options)
    {
        (Directory, _lock, Database, _time, _sharing) = (directory, held, db, options.Time, options.Sharing);
        _paths = new BlobPaths(Path.Combine(directory, ContentName));
        _files = new BlobFiles(db, _paths, _guards);
        Resources = [new LeaseTable(), new ImageTable(), new ContentTable(_files), .. options.OtherResources(directory)];
        Namespaces = new NamespaceCatalogue(db, Resources, _time);
        Quotas = new QuotaKeeper(db, _paths, _guards, Resources);
    }

    /// <summary>The root directory, absolute.</summary>
    public string Directory { get; }

    /// <summary>Where the database lies.</summary>
    public string MetadataDirectory => Path.Combine(Directory, MetadataName);

    /// <summary>Where damaged things are put aside; made when there are any.</summary>
    public string QuarantineDirectory => Path.Combine(Directory, QuarantineName);

    /// <summary>The database.</summary>
    public MetadataDb Database { get; }

    /// <summary>The namespaces.</summary>
    public NamespaceCatalogue Namespaces { get; }

    /// <summary>What namespaces may hold.</summary>
    public QuotaKeeper Quotas { get; }

    /// <summary>Opens <paramref name="directory"/>, and makes it when it is to be written.</summary>
    /// <param name="directory">The root.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ImageStoreException">The directory cannot be made, read or written, is in use, holds something
    /// else, or its metadata is damaged or of a newer version.</exception>
    public static async Task<StoreRoot> OpenAsync(string directory, StoreOptions options, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentNullException.ThrowIfNull(options);
        var root = Path.GetFullPath(directory);
        var metadata = Path.Combine(root, MetadataName);
        Check(root);
        if (options.Access == MetadataAccess.ReadOnly)
        {
            var view = await MetadataDb.OpenAsync(metadata, options.Access, cancellationToken).ConfigureAwait(false);
            return new StoreRoot(root, null, view, options);
        }

        Create(root);
        var held = await RootLock.TakeAsync(Path.Combine(root, LockName), options.OnWait, options.Time, cancellationToken).ConfigureAwait(false);
        MetadataDb? db = null;
        try
        {
            db = await MetadataDb.OpenAsync(metadata, options.Access, cancellationToken).ConfigureAwait(false);
            var result = new StoreRoot(root, held, db, options);
            result._paths.Create();
            result._paths.SweepIngests();
            return result;
        }
        catch (Exception failure)
        {
            if (db is not null)
            {
                await db.DisposeAsync().ConfigureAwait(false);
            }

            held.Dispose();
            if (failure is IOException or UnauthorizedAccessException)
            {
                throw IoErrors.From(failure, $"Opening the root {root}");
            }

            throw;
        }
    }

    /// <summary>All that is in the root, in every namespace.</summary>
    public IReadOnlyList<IResourceTable> Resources { get; }

    /// <summary>The files of blobs, whether a namespace sees them or not.</summary>
    public IEnumerable<(Digest Digest, string Path)> BlobFiles() => _paths.BlobFiles();

    /// <summary>The folders of unfinished downloads; the namespace is null where none is written in it.</summary>
    public IEnumerable<(string? Namespace, string Path)> IngestFolders() =>
        System.IO.Directory.Exists(_paths.Ingests)
            ? System.IO.Directory.EnumerateDirectories(_paths.Ingests).Select(path => (new IngestDirectory(path).Namespace, path))
            : [];

    /// <summary>Deletes blobs' files that no namespace names, or with <paramref name="dryRun"/> only counts them.</summary>
    /// <returns>How many, and their bytes.</returns>
    public Task<(int Files, long Bytes)> SweepFilesAsync(bool dryRun, CancellationToken cancellationToken) =>
        Task.Run(() => _files.Sweep(dryRun, cancellationToken), cancellationToken);

    /// <summary>Deletes downloads that nobody went on with for a day and no lease holds, or only counts them; gives how many.</summary>
    public int SweepIngests(bool dryRun) => new StaleIngests(Database, _paths, _guards).Sweep(_time.GetUtcNow(), dryRun);

    /// <summary>All that <paramref name="namespace"/> has.</summary>
    public Tenant Tenant(string @namespace) => new(this, NamespaceName.Check(@namespace));

    /// <summary>The blobs as <paramref name="namespace"/> sees them.</summary>
    public IContentStore Content(string @namespace) =>
        new ContentStore(Database, _paths, _files, NamespaceName.Check(@namespace), _guards, Quotas, _sharing, _time);

    /// <summary>The images of <paramref name="namespace"/>.</summary>
    public ImageCatalogue Images(string @namespace) => new(Database, NamespaceName.Check(@namespace), _time);

    /// <summary>The leases of <paramref name="namespace"/>.</summary>
    public LeaseManager Leases(string @namespace) => new(Database, NamespaceName.Check(@namespace), _time);

    /// <summary>Closes the database, then lets go of the root.</summary>
    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync().ConfigureAwait(false);
        _lock?.Dispose();
    }

    /// <summary>Refuses a directory that is somebody else's; one that cannot be looked into must not pass for an empty root.</summary>
    private static void Check(string root)
    {
        string[] entries;
        try
        {
            if (File.Exists(root))
            {
                throw new ImageStoreException(
                    ErrorKind.InvalidArgument, $"The root {root} is not a directory.", "Choose a directory with --root.");
            }

            entries = System.IO.Directory.Exists(root) ? System.IO.Directory.GetFileSystemEntries(root) : [];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Reading the root {root}");
        }

        var names = entries.Select(Path.GetFileName).Where(name => name != "lost+found").ToList();
        if (names.Count > 0 && !names.Exists(name => name is LockName or MetadataName or ContentName))
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"The directory {root} is not empty, and is no root: it has {Printable.Of(names[0])}.",
                "Choose an empty directory, or one that is not there, with --root.");
        }
    }

    private static void Create(string root)
    {
        try
        {
            List<string> missing = [];
            for (var path = root; path is not null && !System.IO.Directory.Exists(path); path = Path.GetDirectoryName(path))
            {
                missing.Add(path);
            }

            System.IO.Directory.CreateDirectory(root, OwnerOnly);
            missing.ForEach(path => KernelFile.SyncDirectory(Path.GetDirectoryName(path)!));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Making the root {root}");
        }
    }
}
