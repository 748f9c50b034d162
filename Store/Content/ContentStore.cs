using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using ImageStore.Store.Leases;
using ImageStore.Store.Metadata;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Content;

/// <summary>The blobs of a root as one namespace sees them: files in containerd's layout, rows in the database.</summary>
internal sealed class ContentStore : IContentStore
{
    private const int MaxRefLength = 1024;
    private const UnixFileMode BlobMode = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static readonly TimeSpan s_writerPoll = TimeSpan.FromMilliseconds(20);

    private readonly MetadataDb _db;
    private readonly BlobPaths _paths;
    private readonly BlobFiles _files;
    private readonly string _namespace;
    private readonly ContentGuards _guards;
    private readonly QuotaKeeper _quotas;
    private readonly ContentSharing _sharing;
    private readonly TimeProvider _time;

    public ContentStore(
        MetadataDb db, BlobPaths paths, BlobFiles files, string @namespace, ContentGuards guards, QuotaKeeper quotas, ContentSharing sharing, TimeProvider time) =>
        (_db, _paths, _files, _namespace, _guards, _quotas, _sharing, _time) = (db, paths, files, @namespace, guards, quotas, sharing, time);

    public ContentInfo? Find(Digest digest) =>
        _db.Get(StoreTables.Content, Key(digest)) is { } row ? Info(digest, row) : null;

    public IReadOnlyList<ContentInfo> List() =>
        [.. _db.List(StoreTables.Content, _namespace + "/")
            .Select(pair => Info(Digest.Parse(pair.Key[(_namespace.Length + 1)..]), pair.Value))];

    public Stream OpenRead(Digest digest)
    {
        var info = Find(digest) ?? throw Missing(digest);
        FileStream file;
        try
        {
            file = new FileStream(_paths.Blob(digest), new FileStreamOptions
            {
                BufferSize = 0,
                Options = FileOptions.SequentialScan,
                Share = FileShare.Read | FileShare.Delete,
            });
        }
        catch (FileNotFoundException failure)
        {
            throw Damaged(digest, "its file is gone", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Opening the blob {digest}");
        }

        if (file.Length != info.Size)
        {
            var length = file.Length;
            file.Dispose();
            throw Damaged(digest, $"its file has {length} bytes instead of {info.Size}", null);
        }

        return file;
    }

    public Task<ContentWriter> OpenWriterAsync(
        string reference, long total, DigestAlgorithm algorithm, CancellationToken cancellationToken)
    {
        CheckRef(reference);
        var ingest = new IngestDirectory(_paths.Ingest(_namespace, reference));
        return _guards.TryEnter(ingest.Path)
            ? OpenEnteredAsync(ingest, reference, total, algorithm, cancellationToken)
            : throw Busy(reference);
    }

    public async Task<ContentWriter> WaitForWriterAsync(
        string reference, long total, DigestAlgorithm algorithm, CancellationToken cancellationToken)
    {
        CheckRef(reference);
        var ingest = new IngestDirectory(_paths.Ingest(_namespace, reference));
        while (!_guards.TryEnter(ingest.Path))
        {
            await Task.Delay(s_writerPoll, cancellationToken).ConfigureAwait(false);
        }

        return await OpenEnteredAsync(ingest, reference, total, algorithm, cancellationToken).ConfigureAwait(false);
    }

    public bool CouldProve(Digest digest, IReadOnlyCollection<string> endpoints) =>
        _sharing == ContentSharing.Proof && Find(digest) is null
        && Others(digest).Any(other => other.Row.Origins?.Any(endpoints.Contains) == true);

    public async Task<ContentInfo?> AdoptAsync(
        Descriptor descriptor, BlobProof proof, IReadOnlyDictionary<string, string> labels, Lease? lease, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        using var held = await _guards.HoldAsync(descriptor.Digest, cancellationToken).ConfigureAwait(false);
        var file = new FileInfo(_paths.Blob(descriptor.Digest));
        if (!file.Exists || file.Length != descriptor.Size || !MayHave(descriptor.Digest, proof))
        {
            return null;
        }

        if (!_files.IsNamed(descriptor.Digest))
        {
            // Left by a process that died after it gave the file its name: whether that is on the disk nobody knows.
            KernelFile.SyncDirectory(_paths.Blobs(descriptor.Digest.AlgorithmName));
        }

        return await RecordAsync(descriptor, proof.Registry, null, new ContentWriter.CommitRequest(labels, lease), cancellationToken).ConfigureAwait(false);
    }

    public Task<ContentInfo> UpdateLabelsAsync(Digest digest, LabelUpdate labels, CancellationToken cancellationToken) =>
        _db.CommitAsync(
            tx =>
            {
                var before = tx.Get(StoreTables.Content, Key(digest)) ?? throw Missing(digest);
                var row = before with { Labels = labels.Apply(before.Labels), UpdatedAt = _time.GetUtcNow() };
                tx.Put(StoreTables.Content, Key(digest), row);
                return Info(digest, row);
            },
            cancellationToken);

    public async Task RemoveAsync(Digest digest, CancellationToken cancellationToken)
    {
        await _db.CommitAsync(
            tx =>
            {
                if (!tx.Delete(StoreTables.Content, Key(digest)))
                {
                    throw Missing(digest);
                }
            },
            cancellationToken).ConfigureAwait(false);

        // After the row: a crash between them leaves bytes that nobody names, never a name without bytes.
        await Task.Run(() => _files.DeleteUnnamed(digest), CancellationToken.None).ConfigureAwait(false);
    }

    public IReadOnlyList<IngestStatus> ListIngests() =>
        !Directory.Exists(_paths.Ingests)
            ? []
            : [.. Directory.EnumerateDirectories(_paths.Ingests)
                .Select(path => new IngestDirectory(path).Read(_namespace))
                .OfType<IngestStatus>()
                .OrderBy(status => status.Ref, StringComparer.Ordinal)];

    public IngestStatus? FindIngest(string reference)
    {
        CheckRef(reference);
        return new IngestDirectory(_paths.Ingest(_namespace, reference)).Read(_namespace);
    }

    public void AbortIngest(string reference)
    {
        CheckRef(reference);
        var ingest = new IngestDirectory(_paths.Ingest(_namespace, reference));
        if (!_guards.TryEnter(ingest.Path))
        {
            throw Busy(reference);
        }

        try
        {
            if (!Directory.Exists(ingest.Path))
            {
                throw new ImageStoreException(ErrorKind.NotFound, $"There is no ingest {Printable.Of(reference)}.");
            }

            ingest.Delete();
        }
        finally
        {
            _guards.Leave(ingest.Path);
        }
    }

    private async Task<ContentInfo> PublishAsync(
        ContentWriter writer, Descriptor expected, ContentWriter.CommitRequest request, CancellationToken cancellationToken)
    {
        var target = _paths.Blob(expected.Digest);
        using var held = await _guards.HoldAsync(expected.Digest, cancellationToken).ConfigureAwait(false);
        try
        {
            File.SetUnixFileMode(writer.DataPath, BlobMode);
            File.Move(writer.DataPath, target, overwrite: true);
            KernelFile.SyncDirectory(_paths.Blobs(expected.Digest.AlgorithmName));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Publishing the blob {expected.Digest}");
        }

        ContentInfo info;
        try
        {
            info = await RecordAsync(expected, writer.Origin, writer.Ref, request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception refused) when (refused.InnerException is null)
        {
            // Not where the disk failed: then the row may be there after all, and a row has to have its file.
            TakeBack(expected.Digest, writer.DataPath);
            throw;
        }

        FolderRemoval.Delete(Path.GetDirectoryName(writer.DataPath)!);
        return info;
    }

    /// <summary>Makes a blob that got no row an ingest again, so that a repeat need not bring its bytes once more.</summary>
    private void TakeBack(Digest digest, string dataPath)
    {
        if (!_files.IsNamed(digest))
        {
            try
            {
                File.SetUnixFileMode(_paths.Blob(digest), IngestDirectory.WritableMode);
                File.Move(_paths.Blob(digest), dataPath);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // The failure that led here is the one to tell; a file that no row names is swept by the next collection.
            }
        }
    }

    private Task<ContentInfo> RecordAsync(
        Descriptor blob, string? origin, string? reference, ContentWriter.CommitRequest request, CancellationToken cancellationToken) =>
        _db.CommitAsync(
            tx =>
            {
                var now = _time.GetUtcNow();
                var before = tx.Get(StoreTables.Content, Key(blob.Digest));
                var row = (before ?? new ContentRow(blob.Size, [], now, now)).From(origin) with
                {
                    Labels = Labels.Merge(before?.Labels ?? Labels.None, request.Labels), UpdatedAt = now,
                };

                // Files go by what the listed namespaces see, so nobody may see a blob and not be listed.
                NamespaceCatalogue.Ensure(tx, _namespace, now);
                tx.Put(StoreTables.Content, Key(blob.Digest), row);
                if (before is null)
                {
                    _quotas.CheckCommit(tx, _namespace, $"the blob {blob.Digest}");
                }

                if (request.Lease is { } lease)
                {
                    LeaseManager.Add(tx, lease, new LeaseResource("content", blob.Digest.ToString()), Moment.Now(_time));
                    if (reference is not null)
                    {
                        LeaseManager.Remove(tx, LeaseManager.RowKey(lease.Namespace, lease.Id), new LeaseResource("ingests", reference));
                    }
                }

                return Info(blob.Digest, row);
            },
            cancellationToken);

    private bool MayHave(Digest digest, BlobProof proof) =>
        proof.HasBytes || _sharing == ContentSharing.Shared || Find(digest) is not null
        || Others(digest).Any(other => _db.Get(StoreTables.Namespaces, other.Namespace)?.IsShareable == true
            || (_sharing == ContentSharing.Proof && proof.Registry is { } registry && other.Row.Origins?.Contains(registry) == true));

    private IEnumerable<(string Namespace, ContentRow Row)> Others(Digest digest)
    {
        foreach (var ns in _db.NamespacesOf(StoreTables.Content))
        {
            if (_db.Get(StoreTables.Content, $"{ns}/{digest}") is { } row)
            {
                yield return (ns, row);
            }
        }
    }

    private static void CheckRef(string reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        if (reference.Length is 0 or > MaxRefLength || reference.Any(char.IsControl))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(reference)}' cannot name an ingest.",
                $"A ref has 1 to {MaxRefLength} characters and no control characters.");
        }
    }

    /// <summary>Opens an ingest whose guard is ours; the writer leaves it when it is closed.</summary>
    private async Task<ContentWriter> OpenEnteredAsync(
        IngestDirectory ingest, string reference, long total, DigestAlgorithm algorithm, CancellationToken cancellationToken)
    {
        ContentWriter writer;
        try
        {
            var reservation = _quotas.Reserve(_namespace, Math.Max(total, ingest.Read(_namespace)?.Offset ?? 0), reference);
            try
            {
                ingest.Create($"{_namespace}/{reference}", total, _time.GetUtcNow());
                writer = new ContentWriter(ingest, reference, algorithm, reservation, PublishAsync, () => _guards.Leave(ingest.Path));
            }
            catch
            {
                reservation.Dispose();
                throw;
            }
        }
        catch (Exception failure)
        {
            _guards.Leave(ingest.Path);
            if (failure is IOException or UnauthorizedAccessException)
            {
                throw IoErrors.From(failure, $"Opening the ingest of {Printable.Of(reference)}");
            }

            throw;
        }

        try
        {
            await Task.Run(() => writer.Resume(cancellationToken), cancellationToken).ConfigureAwait(false);
            return writer;
        }
        catch (Exception failure)
        {
            await writer.DisposeAsync().ConfigureAwait(false);
            if (failure is IOException or UnauthorizedAccessException)
            {
                throw IoErrors.From(failure, $"Reading the ingest of {Printable.Of(reference)}");
            }

            throw;
        }
    }

    private static ContentInfo Info(Digest digest, ContentRow row) =>
        new(digest, row.Size, row.Labels, row.CreatedAt, row.UpdatedAt);

    private static ImageStoreException Missing(Digest digest) =>
        new(ErrorKind.NotFound, $"There is no blob {digest} in this namespace.", "'imagestore content ls' shows what is there.");

    private static ImageStoreException Busy(string reference) =>
        new(ErrorKind.Unavailable, $"The ingest {Printable.Of(reference)} has a writer already.", "Wait for it to finish.");

    private static ImageStoreException Damaged(Digest digest, string how, Exception? inner) =>
        new(
            ErrorKind.CorruptData,
            $"The blob {digest} is damaged: {how}.",
            "Remove it with 'imagestore content rm' and pull the image again.",
            inner);

    private string Key(Digest digest) => $"{_namespace}/{digest}";
}
