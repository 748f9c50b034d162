using ImageStore.Store.Containers;
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

    /// <summary>The name of the file in a root by which a daemon tells itself from those of other roots.</summary>
    public const string IdName = "uuid";

    /// <summary>The configuration's name in a root.</summary>
    public const string ConfigurationName = "config.toml";

    /// <summary>The name of the folder in a root that has the records of jobs, a folder a namespace.</summary>
    public const string JobsName = "jobs";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // What others of this house keep in a root is listed here too, so that all else can be told to be foreign.
    private static readonly HashSet<string> s_names = new(StringComparer.Ordinal)
    {
        LockName, MetadataName, MetadataName + ".new", ContentName, QuarantineName, ConfigurationName, "snapshots", "scrub.json", JobsName, IdName, "lost+found",
    };

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
        Resources = [new LeaseTable(), ImageTable.Open(), ContainerTable.Open(), new ContentTable(_files), .. options.OtherResources(directory)];
        Namespaces = new NamespaceCatalogue(db, Resources, ns => IngestFolders().Count(folder => folder.Namespace == ns), _time)
        {
            OnRemoved = ForgetJobs,
        };
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
        RefuseLostMetadata(root, metadata);
        if (options.Access == MetadataAccess.ReadOnly)
        {
            var view = await MetadataDb.OpenAsync(metadata, options.Access, cancellationToken).ConfigureAwait(false);
            return new StoreRoot(root, null, view, options);
        }

        Create(root);
        var held = await RootLock.TakeAsync(
            Path.Combine(root, LockName), options.Holder, options.OnWait, options.Time, cancellationToken).ConfigureAwait(false);
        MetadataDb? db = null;
        try
        {
            RefuseRebuilt(root, metadata, options);
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

    /// <summary>Makes a new database out of what a damaged one still has and of its newest backup, and puts the damaged one aside.</summary>
    /// <exception cref="ImageStoreException">The root is in use, or the disk refuses; then the damaged one is still in its place.</exception>
    public static async Task<RebuildReport> RebuildMetadataAsync(string directory, StoreOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var root = Path.GetFullPath(directory);
        using var held = await RootLock.TakeAsync(
            Path.Combine(root, LockName), options.Holder, options.OnWait, options.Time, cancellationToken).ConfigureAwait(false);
        var quarantine = new Quarantine(Path.Combine(root, QuarantineName), options.Time);
        return MetadataRebuild.Run(
            Path.Combine(root, MetadataName),
            quarantine.PlaceFor(MetadataName, "the metadata was damaged and is rebuilt"),
            options.Time.GetUtcNow());
    }

    /// <summary>Reads every row of a root's database, as fsck does; beside its writer.</summary>
    /// <returns>How many rows there are.</returns>
    /// <exception cref="ImageStoreException">One of them, or a file, is damaged (<see cref="ErrorKind.CorruptData"/>).</exception>
    public static long CheckMetadata(string directory)
    {
        var root = Path.GetFullPath(directory);
        RefuseLostMetadata(root, Path.Combine(root, MetadataName));
        var rows = 0L;
        MetadataDump.Read(Path.Combine(root, MetadataName), tables => rows = tables.Sum(table => (long)table.Value.Count));
        return rows;
    }

    /// <summary>When the metadata of a root was last written, by whomever; the start of time where there is none.</summary>
    public static DateTime ChangedAt(string directory) => MetadataDisk.ChangedAt(Path.Combine(directory, MetadataName));

    /// <summary>What a rebuild of the metadata left to be done; null when nothing is.</summary>
    public RebuildMark? PendingRebuild => RebuildMark.Load(MetadataDirectory);

    /// <summary>Opens the root to others again, after what the disk has was given back.</summary>
    public void EndRebuild() => RebuildMark.Remove(MetadataDirectory);

    /// <summary>Where damaged things of this root are put.</summary>
    public Quarantine Quarantine => new(QuarantineDirectory, _time);

    /// <summary>All that is in the root, in every namespace.</summary>
    public IReadOnlyList<IResourceTable> Resources { get; }

    /// <summary>The files of blobs, whether a namespace sees them or not.</summary>
    public IEnumerable<(Digest Digest, string Path)> BlobFiles() => _paths.BlobFiles();

    /// <summary>Where a blob's file is, or would be.</summary>
    public string PathOf(Digest digest) => _paths.Blob(digest);

    /// <summary>Gives a namespace a blob that the disk has, on nobody's word: for repairs, which restore what was a namespace's before.</summary>
    /// <returns>False when the disk does not have it.</returns>
    public async Task<bool> GiveAsync(
        string @namespace, Descriptor blob, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        await ContentToRepair(@namespace).AdoptAsync(blob, BlobProof.None, labels, null, cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>The blobs of <paramref name="namespace"/> for repairs, which bring back what was there: no quota holds them up.</summary>
    public IContentStore ContentToRepair(string @namespace) => new ContentStore(
        Database, _paths, _files, NamespaceName.Check(@namespace), _guards, QuotaKeeper.Unlimited(Database, _paths, _guards), ContentSharing.Shared, _time);

    /// <summary>What lies in the root's own folders and is none of the store's.</summary>
    public IEnumerable<string> ForeignEntries() =>
        System.IO.Directory.EnumerateFileSystemEntries(Directory).Where(path => !s_names.Contains(Path.GetFileName(path)))
            .Concat(_paths.ForeignEntries());

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

    /// <summary>The containers of <paramref name="namespace"/>.</summary>
    public ContainerCatalogue Containers(string @namespace) => new(Database, NamespaceName.Check(@namespace), _time);

    // Who makes a namespace of the same name later is somebody else.
    private void ForgetJobs(string @namespace)
    {
        try
        {
            FolderRemoval.Delete(Path.Combine(Directory, JobsName, @namespace));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Deleting the records of the jobs of {@namespace}");
        }
    }

    /// <summary>Closes the database, then lets go of the root.</summary>
    public async ValueTask DisposeAsync()
    {
        using var held = _lock;
        await Database.DisposeAsync().ConfigureAwait(false);
        if (held is not null && Database.HasCommitted)
        {
            BackUpWhenDue();
        }
    }

    /// <summary>Writes all rows into a file of their own beside the database, while that goes on.</summary>
    /// <returns>The file.</returns>
    /// <exception cref="ImageStoreException">The database is damaged, or the disk refused.</exception>
    public string BackUp() => new BackupFolder(MetadataDirectory).Write(_time.GetUtcNow());

    /// <summary>Whether the last backup is old.</summary>
    public bool IsBackupDue => new BackupFolder(MetadataDirectory).IsDue(_time.GetUtcNow());

    private void BackUpWhenDue()
    {
        try
        {
            if (IsBackupDue)
            {
                BackUp();
            }
        }
        catch (Exception failure) when (failure is ImageStoreException or IOException or UnauthorizedAccessException)
        {
            // What was asked for is done and durable; a disk that has no room for a backup is told of by whoever needs the room.
        }
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
        if (names.Count > 0 && !names.Exists(name => name is LockName or MetadataName or ContentName or ConfigurationName))
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"The directory {root} is not empty, and is no root: it has {Printable.Of(names[0])}.",
                "Choose an empty directory, or one that is not there, with --root.");
        }
    }

    private static void RefuseRebuilt(string root, string metadata, StoreOptions options)
    {
        if (!options.IsRepair && RebuildMark.Load(metadata) is not null)
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"The metadata of the root {root} was rebuilt, and what the disk has is not yet given back.",
                "'imagestore fsck --repair' goes on with it.");
        }
    }

    /// <summary>Blobs without a database are a loss, not a new root: to begin anew would give them all to the next collection.</summary>
    private static void RefuseLostMetadata(string root, string metadata)
    {
        if (!File.Exists(Path.Combine(metadata, MetadataDisk.Data)) && new BlobPaths(Path.Combine(root, ContentName)).BlobFiles().Any())
        {
            throw FileHead.Damaged(Path.Combine(metadata, MetadataDisk.Data), "it is missing, while there are blobs");
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
