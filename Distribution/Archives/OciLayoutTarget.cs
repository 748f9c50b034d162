using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>Adds images to an OCI layout in a folder; what is in it stays, and a name moves to the new image.</summary>
public sealed class OciLayoutTarget : IImageTarget
{
    private const int ParallelBlobs = 4;
    internal const string DamagedSource = "Its source is damaged: get it from another one.";

    private readonly string _directory;
    private readonly Lock _gate = new();
    private readonly List<Descriptor> _added = [];

    private OciLayoutTarget(string directory) => _directory = directory;

    /// <inheritdoc/>
    public string Name => $"oci:{_directory}";

    /// <inheritdoc/>
    public int MaxConcurrency => ParallelBlobs;

    internal string Directory => _directory;

    internal static byte[] Marker { get; } = """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray();

    /// <summary>Opens the layout in <paramref name="directory"/>, or makes one in an empty or new folder.</summary>
    /// <exception cref="ImageStoreException">The folder holds something else, or cannot be written.</exception>
    public static OciLayoutTarget Open(string directory)
    {
        ArgumentNullException.ThrowIfNull(directory);
        try
        {
            var marker = Path.Combine(directory, OciLayoutSource.MarkerFile);
            if (!File.Exists(marker))
            {
                if (System.IO.Directory.Exists(directory) && System.IO.Directory.EnumerateFileSystemEntries(directory).Any())
                {
                    throw new ImageStoreException(
                        ErrorKind.FailedPrecondition,
                        $"{Printable.Of(directory)} is not empty and is no OCI layout.",
                        "Name an empty or new folder.");
                }

                System.IO.Directory.CreateDirectory(directory);
                File.WriteAllBytes(marker, Marker);
            }

            return new OciLayoutTarget(directory);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"The folder {Printable.Of(directory)}");
        }
    }

    /// <inheritdoc/>
    public Task<Descriptor?> FindAsync(string tagOrDigest, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tagOrDigest);
        var images = Entries().Select(entry => new NamedImage(LayoutNames.Of(entry), LayoutNames.Bare(entry))).ToList();
        return Task.FromResult(tagOrDigest.Length == 0 ? null : NamedImage.Find(images, tagOrDigest, Name));
    }

    /// <inheritdoc/>
    public Task<bool> HasBlobAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blob);
        var file = new FileInfo(PathOf(blob.Digest));
        return Task.FromResult(file.Exists && file.Length == blob.Size);
    }

    /// <inheritdoc/>
    /// <remarks>Always false: a manifest that is here tells nothing of what it refers to, and to write it again costs little.</remarks>
    public Task<bool> HasManifestAsync(Descriptor manifest, CancellationToken cancellationToken) => Task.FromResult(false);

    /// <inheritdoc/>
    public Task<bool> TryMountAsync(Descriptor blob, IImageSource from, CancellationToken cancellationToken) => Task.FromResult(false);

    /// <inheritdoc/>
    public async Task PutBlobAsync(Descriptor blob, BlobOpener open, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentNullException.ThrowIfNull(open);
        var source = await open(0, cancellationToken).ConfigureAwait(false);
        await using var opened = source.ConfigureAwait(false);
        await WriteAsync(
            PathOf(blob.Digest),
            file => VerifyingCopy.RunAsync(source, file, blob, DamagedSource, progress, cancellationToken)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task PutManifestAsync(FetchedManifest manifest, string? tag, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        await WriteAsync(
            PathOf(manifest.Descriptor.Digest), file => file.WriteAsync(manifest.Bytes, cancellationToken).AsTask()).ConfigureAwait(false);
        if (tag is not null || DocumentLinks.Parse(manifest.Bytes, manifest.Descriptor.MediaType).Subject is not null)
        {
            lock (_gate)
            {
                _added.Add(LayoutNames.Entry(manifest.Descriptor, tag ?? string.Empty));
            }
        }
    }

    /// <inheritdoc/>
    public Task CompleteAsync(CancellationToken cancellationToken) => ChangeAsync(
        entries =>
        {
            lock (_gate)
            {
                foreach (var entry in _added)
                {
                    entries.RemoveAll(one => LayoutNames.SameName(one, entry));
                    entries.Add(entry);
                }
            }
        },
        sweep: null,
        cancellationToken);

    /// <summary>Takes images out of the index by their names, and then the blobs that no image needs any more.</summary>
    /// <exception cref="ImageStoreException">The folder cannot be written, or a document is damaged.</exception>
    public Task RemoveAsync(IReadOnlySet<string> names, TimeProvider time, CancellationToken cancellationToken) => ChangeAsync(
        entries => entries.RemoveAll(entry => LayoutNames.Of(entry) is { } name && names.Contains(name)), time, cancellationToken);

    private async Task ChangeAsync(Action<List<Descriptor>> change, TimeProvider? sweep, CancellationToken cancellationToken)
    {
        using var held = KernelFile.OpenLockFile(Path.Combine(_directory, ".lock"));
        while (!KernelFile.TryLock(held))
        {
            // Another process writes its entries, which takes no longer than a moment.
            await Task.Delay(TimeSpan.FromMilliseconds(10), cancellationToken).ConfigureAwait(false);
        }

        var entries = Entries();
        change(entries);
        var bytes = OciJsonOptions.Write(entries);
        await WriteAsync(
            Path.Combine(_directory, OciLayoutSource.IndexFile), file => file.WriteAsync(bytes, CancellationToken.None).AsTask())
            .ConfigureAwait(false);
        if (sweep is not null)
        {
            await LayoutSweep.RunAsync(_directory, sweep, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private List<Descriptor> Entries()
    {
        using var files = new FolderFiles(_directory);
        return files.Length(OciLayoutSource.IndexFile) is null
            ? []
            : [.. OciDocument.ParseIndex(
                OciLayoutSource.ReadWhole(files, OciLayoutSource.IndexFile, OciLimits.MaxManifestBytes, Name), MediaTypes.OciIndex).Manifests];
    }

    private string PathOf(Digest digest) => Path.Combine(_directory, OciLayoutSource.BlobFile(digest));

    // Nothing is to be seen under its name before it is whole and on disk.
    private async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        try
        {
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var file = PendingFile.Create(path, WholeFile.Public, _directory);
            await write(file.Stream).ConfigureAwait(false);
            file.Commit();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Writing {Printable.Of(path)}");
        }
    }
}
