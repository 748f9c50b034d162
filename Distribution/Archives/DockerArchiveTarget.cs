using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>Writes what <c>docker load</c> of every age reads: one image of one platform for each name.</summary>
/// <remarks>Layers keep their compression, which docker, podman and skopeo undo; so their digests stay too.</remarks>
public sealed class DockerArchiveTarget : IImageTarget
{
    private readonly ArchiveOutput _output;
    private readonly TarFileWriter _tar;
    private readonly Dictionary<Digest, string> _written = [];
    private readonly List<(Manifest Manifest, Digest Digest, List<string> Names)> _images = [];
    private readonly ArchiveTurn _turn;

    private DockerArchiveTarget(ArchiveOutput output, string name)
    {
        (_output, Name) = (output, name);
        _tar = new TarFileWriter(output.Stream);
        _turn = new ArchiveTurn(name);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int MaxConcurrency => 1;

    /// <summary>Writes to a file, which is there only when it is complete.</summary>
    /// <exception cref="ImageStoreException">It cannot be written.</exception>
    public static DockerArchiveTarget ToFile(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return new DockerArchiveTarget(ArchiveOutput.ToFile(path), $"docker-archive:{path}");
    }

    /// <summary>Writes to a stream, which stays open.</summary>
    public static DockerArchiveTarget ToStream(Stream output) => new(ArchiveOutput.ToStream(output), "docker-archive:-");

    /// <inheritdoc/>
    public Task<bool> HasBlobAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blob);
        return Task.FromResult(_written.ContainsKey(blob.Digest));
    }

    /// <inheritdoc/>
    public Task<bool> HasManifestAsync(Descriptor manifest, CancellationToken cancellationToken) => Task.FromResult(false);

    /// <inheritdoc/>
    public Task<bool> TryMountAsync(Descriptor blob, IImageSource from, CancellationToken cancellationToken) => Task.FromResult(false);

    /// <inheritdoc/>
    public Task PutBlobAsync(Descriptor blob, BlobOpener open, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentNullException.ThrowIfNull(open);
        return _turn.RunAsync(
            async () =>
            {
                if (!_written.ContainsKey(blob.Digest))
                {
                    var file = MediaTypes.IsConfig(blob.MediaType) ? $"{blob.Digest.Hex}.json" : $"{blob.Digest.Hex}.tar{Extension(blob.MediaType)}";
                    var source = await open(0, cancellationToken).ConfigureAwait(false);
                    await using var opened = source.ConfigureAwait(false);
                    await _tar.WriteAsync(file, blob, source, progress, cancellationToken).ConfigureAwait(false);
                    _written[blob.Digest] = file;
                }
            },
            goBack: null,
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task PutManifestAsync(FetchedManifest manifest, string? tag, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return _turn.RunAsync(
            () =>
            {
                Add(manifest, tag);
                return Task.CompletedTask;
            },
            goBack: null,
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task CompleteAsync(CancellationToken cancellationToken) => _turn.RunAsync(
        async () =>
        {
            var bytes = DockerManifestFile.Write(_images.Select(image => (
                _written[image.Manifest.Config.Digest],
                (IReadOnlyList<string>)image.Names,
                (IReadOnlyList<string>)[.. image.Manifest.Layers.Select(layer => _written[layer.Digest])])));
            await _tar.WriteAsync(DockerSaveSource.ManifestFile, bytes, cancellationToken).ConfigureAwait(false);
            await _tar.EndAsync(cancellationToken).ConfigureAwait(false);
            await _output.CompleteAsync(cancellationToken).ConfigureAwait(false);
        },
        goBack: null,
        cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _output.Dispose();
        _turn.Dispose();
        return ValueTask.CompletedTask;
    }

    private static string Extension(string mediaType) =>
        mediaType.EndsWith("gzip", StringComparison.Ordinal) ? ".gz"
        : mediaType.EndsWith("zstd", StringComparison.Ordinal) ? ".zst"
        : string.Empty;

    private void Add(FetchedManifest document, string? tag)
    {
        if (!MediaTypes.IsManifest(document.Descriptor.MediaType))
        {
            throw Unsuitable("an index of several platforms", "Choose one with --platform, or write an oci-archive.");
        }

        var manifest = OciDocument.ParseManifest(document.Bytes, document.Descriptor.MediaType);
        if (!MediaTypes.IsConfig(manifest.Config.MediaType) || !manifest.Layers.All(layer => MediaTypes.IsLayer(layer.MediaType)))
        {
            throw Unsuitable("an artifact that holds no filesystem", "Write an oci-archive, which can hold it.");
        }

        var known = _images.FirstOrDefault(image => image.Digest == document.Descriptor.Digest);
        if (known.Names is null)
        {
            known = (manifest, document.Descriptor.Digest, []);
            _images.Add(known);
        }

        if (tag is { Length: > 0 })
        {
            known.Names.Add(ImageReference.Parse(tag).Canonical);
        }
    }

    private ImageStoreException Unsuitable(string what, string remedy) =>
        new(ErrorKind.Unsupported, $"{Printable.Of(Name)}: docker's format cannot hold {what}.", remedy);
}
