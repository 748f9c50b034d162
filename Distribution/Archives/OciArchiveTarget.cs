using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>Writes an OCI layout as one tar, which docker and podman load too.</summary>
public sealed class OciArchiveTarget : IImageTarget
{
    private readonly ArchiveOutput _output;
    private readonly TarFileWriter _tar;
    private readonly HashSet<Digest> _written = [];
    private readonly List<(Descriptor Entry, FetchedManifest Manifest)> _named = [];
    private readonly Dictionary<Digest, FetchedManifest> _manifests = [];
    private readonly ArchiveTurn _turn;
    private bool _begun;

    private OciArchiveTarget(ArchiveOutput output, string name)
    {
        (_output, Name) = (output, name);
        _tar = new TarFileWriter(output.Stream);
        _turn = new ArchiveTurn(name);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int MaxConcurrency => 1;

    /// <summary>Tells at the end what the archive holds; null where it need not say.</summary>
    internal Func<ArchiveContents>? Contents { get; set; }

    /// <summary>Writes to a file, which is there only when it is complete.</summary>
    /// <exception cref="ImageStoreException">It cannot be written.</exception>
    public static OciArchiveTarget ToFile(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return new OciArchiveTarget(ArchiveOutput.ToFile(path), $"oci-archive:{path}");
    }

    /// <summary>Writes to a stream, which stays open.</summary>
    public static OciArchiveTarget ToStream(Stream output) => new(ArchiveOutput.ToStream(output), "oci-archive:-");

    /// <inheritdoc/>
    public Task<bool> HasBlobAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blob);
        return Task.FromResult(_written.Contains(blob.Digest));
    }

    /// <inheritdoc/>
    public Task<bool> HasManifestAsync(Descriptor manifest, CancellationToken cancellationToken) => HasBlobAsync(manifest, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> TryMountAsync(Descriptor blob, IImageSource from, CancellationToken cancellationToken) => Task.FromResult(false);

    /// <inheritdoc/>
    public async Task PutBlobAsync(Descriptor blob, BlobOpener open, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentNullException.ThrowIfNull(open);
        await WriteAsync(
            async () =>
            {
                if (!_written.Contains(blob.Digest))
                {
                    var source = await open(0, cancellationToken).ConfigureAwait(false);
                    await using var opened = source.ConfigureAwait(false);
                    await _tar.WriteAsync(OciLayoutSource.BlobFile(blob.Digest), blob, source, progress, cancellationToken).ConfigureAwait(false);
                    _written.Add(blob.Digest);
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task PutManifestAsync(FetchedManifest manifest, string? tag, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        await WriteAsync(
            async () =>
            {
                _manifests[manifest.Descriptor.Digest] = manifest;
                if (_written.Add(manifest.Descriptor.Digest))
                {
                    await _tar.WriteAsync(OciLayoutSource.BlobFile(manifest.Descriptor.Digest), manifest.Bytes, cancellationToken)
                        .ConfigureAwait(false);
                }

                // What refers to another manifest is found through the index alone, so it is listed without a name.
                var links = DocumentLinks.Parse(manifest.Bytes, manifest.Descriptor.MediaType);
                if (tag is not null || links.Subject is not null)
                {
                    var entry = LayoutNames.Entry(manifest.Descriptor, tag ?? string.Empty);
                    _named.RemoveAll(one => LayoutNames.SameName(one.Entry, entry));
                    _named.Add((entry, manifest));
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await WriteAsync(
            async () =>
            {
                await _tar.WriteAsync(
                    OciLayoutSource.IndexFile, OciJsonOptions.Write([.. _named.Select(one => one.Entry)]), cancellationToken).ConfigureAwait(false);
                if (Contents is not null)
                {
                    await _tar.WriteAsync(ArchiveContents.FileName, Contents().ToBytes(), cancellationToken).ConfigureAwait(false);
                }

                if (DockerManifestFile.Of(_named, _manifests) is { } docker)
                {
                    await _tar.WriteAsync(DockerSaveSource.ManifestFile, docker, cancellationToken).ConfigureAwait(false);
                }

                await _tar.EndAsync(cancellationToken).ConfigureAwait(false);
                await _output.CompleteAsync(cancellationToken).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _output.Dispose();
        _turn.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task WriteAsync(Func<Task> write, CancellationToken cancellationToken)
    {
        long? mark = null;
        return _turn.RunAsync(
            async () =>
            {
                mark = _output.Mark();
                if (!_begun)
                {
                    await _tar.WriteAsync(OciLayoutSource.MarkerFile, OciLayoutTarget.Marker, cancellationToken).ConfigureAwait(false);
                    _begun = true;
                    mark = _output.Mark();
                }

                await write().ConfigureAwait(false);
            },
            () => _output.GoBack(mark),
            cancellationToken);
    }
}
