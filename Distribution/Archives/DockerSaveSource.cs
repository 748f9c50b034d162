using System.Buffers;
using System.Text.Json;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>Images of what <c>docker save</c> writes, of every age: given the manifests that they have none of.</summary>
/// <remarks>Layers stay the bytes that they are; a manifest of Docker's schema 2 is made of them, the same each time.</remarks>
public sealed class DockerSaveSource : IImageCollection
{
    internal const string ManifestFile = "manifest.json";

    private const int MaxImages = 10_000;
    private const int HashBufferBytes = 256 * 1024;

    private readonly IImageFiles _files;
    private readonly Dictionary<Digest, string> _entries = [];
    private readonly Dictionary<Digest, byte[]> _made = [];
    private readonly Dictionary<string, Descriptor> _layers = new(StringComparer.Ordinal);
    private readonly List<NamedImage> _images = [];

    private DockerSaveSource(IImageFiles files, string name) => (_files, Name) = (files, name);

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyList<NamedImage> Images => _images;

    internal static async Task<DockerSaveSource> OpenAsync(IImageFiles files, string name, CancellationToken cancellationToken)
    {
        var source = new DockerSaveSource(files, name);
        try
        {
            if (files.Length(ManifestFile) is not null)
            {
                await source.ReadManifestAsync(cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await source.ReadOldestAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw TarFiles.NotAnArchive(name, $"a JSON file in it is malformed ({Printable.Of(failure.Message)})", failure);
        }

        return source;
    }

    /// <inheritdoc/>
    public Task<Descriptor?> FindAsync(string tagOrDigest, CancellationToken cancellationToken)
    {
        var found = NamedImage.Find(Images, tagOrDigest, Name);
        return Task.FromResult(found);
    }

    /// <inheritdoc/>
    public Task<FetchedManifest> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        return Task.FromResult(_made.TryGetValue(descriptor.Digest, out var bytes)
            ? new FetchedManifest(descriptor, bytes)
            : throw Missing(descriptor.Digest));
    }

    /// <inheritdoc/>
    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blob);
        if (_made.TryGetValue(blob.Digest, out var made))
        {
            return Task.FromResult<Stream>(new MemoryStream(made, (int)offset, made.Length - (int)offset, writable: false));
        }

        return Task.FromResult(_entries.TryGetValue(blob.Digest, out var entry) ? _files.Open(entry, offset) : throw Missing(blob.Digest));
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<Descriptor>> ListReferrersAsync(Digest subject, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Descriptor>>([]);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _files.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task ReadManifestAsync(CancellationToken cancellationToken)
    {
        using var json = JsonDocument.Parse(Whole(ManifestFile), OciJsonOptions.Document);
        foreach (var image in json.RootElement.EnumerateArray())
        {
            var configFile = image.GetProperty("Config").GetString()!;
            var config = Whole(configFile);
            var files = image.GetProperty("Layers").EnumerateArray().Select(layer => layer.GetString()!).ToList();
            var tags = image.TryGetProperty("RepoTags", out var names) && names.ValueKind == JsonValueKind.Array
                ? names.EnumerateArray().Select(tag => tag.GetString()!).ToList()
                : [];
            await AddAsync(config, files, tags, cancellationToken).ConfigureAwait(false);
        }
    }

    // Before docker 1.10: a folder a layer, with its config beside it, and a file of names.
    private async Task ReadOldestAsync(CancellationToken cancellationToken)
    {
        if (_files.Length("repositories") is null)
        {
            throw TarFiles.NotAnArchive(Name, "it has neither index.json nor manifest.json");
        }

        using var json = JsonDocument.Parse(Whole("repositories"), OciJsonOptions.Document);
        foreach (var repository in json.RootElement.EnumerateObject())
        {
            foreach (var tag in repository.Value.EnumerateObject())
            {
                var chain = OldestDockerSave.Chain(tag.Value.GetString()!, id => Whole($"{id}/json"), Name);
                var layers = chain.Select(one => $"{one.Id}/layer.tar").ToList();
                List<Digest> diffIds = [];
                foreach (var layer in layers)
                {
                    diffIds.Add((await LayerAsync(layer, known: null, cancellationToken).ConfigureAwait(false)).Digest);
                }

                await AddAsync(
                    OldestDockerSave.Config(chain, diffIds), layers, [$"{repository.Name}:{tag.Name}"], cancellationToken)
                    .ConfigureAwait(false);
            }
        }
    }

    private async Task AddAsync(byte[] config, List<string> files, List<string> tags, CancellationToken cancellationToken)
    {
        if (_images.Count > MaxImages)
        {
            throw new ImageStoreException(ErrorKind.LimitExceeded, $"{Printable.Of(Name)} holds more than {MaxImages} images.");
        }

        var diffIds = OciDocument.ParseConfig(config, files.Count).RootFs.DiffIds;
        List<Descriptor> layers = [];
        for (var i = 0; i < files.Count; i++)
        {
            layers.Add(await LayerAsync(files[i], diffIds[i], cancellationToken).ConfigureAwait(false));
        }

        var manifest = new Manifest
        {
            SchemaVersion = 2,
            MediaType = MediaTypes.DockerManifest,
            Config = Made(config, MediaTypes.DockerConfig),
            Layers = layers,
        };
        var target = Made(JsonSerializer.SerializeToUtf8Bytes(manifest, OciJson.Writing.Manifest), MediaTypes.DockerManifest);
        _images.AddRange(tags.Count == 0 ? [new NamedImage(null, target)] : tags.Select(tag => new NamedImage(FullName(tag), target)));
    }

    private Descriptor Made(byte[] bytes, string mediaType)
    {
        var digest = Digest.Compute(bytes);
        _made[digest] = bytes;
        return new Descriptor { MediaType = mediaType, Digest = digest, Size = bytes.Length };
    }

    /// <summary>A plain layer's digest is its diff ID, which the config tells; any other has to be hashed.</summary>
    private async Task<Descriptor> LayerAsync(string file, Digest? known, CancellationToken cancellationToken)
    {
        if (_layers.TryGetValue(file, out var seen))
        {
            return seen;
        }

        var size = _files.Length(file) ?? throw TarFiles.NotAnArchive(Name, $"the layer '{Printable.Of(file)}' is not in it");
        var mediaType = TypeOf(file);
        var digest = known is { } diffId && mediaType == MediaTypes.DockerLayer
            ? diffId
            : await HashAsync(file, cancellationToken).ConfigureAwait(false);
        _entries[digest] = file;
        return _layers[file] = new Descriptor { MediaType = mediaType, Digest = digest, Size = size };
    }

    private string TypeOf(string file)
    {
        using var stream = _files.Open(file, 0);
        Span<byte> head = stackalloc byte[4];
        var count = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        return head[..count] switch
        {
            [0x1F, 0x8B, ..] => MediaTypes.DockerLayerGzip,
            [0x28, 0xB5, 0x2F, 0xFD] => MediaTypes.DockerLayerZstd,
            _ => MediaTypes.DockerLayer,
        };
    }

    private async Task<Digest> HashAsync(string file, CancellationToken cancellationToken)
    {
        using var hash = Digest.CreateHash(DigestAlgorithm.Sha256);
        using var stream = _files.Open(file, 0);
        var buffer = ArrayPool<byte>.Shared.Rent(HashBufferBytes);
        try
        {
            int count;
            while ((count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                hash.AppendData(buffer.AsSpan(0, count));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Digest.FromHash(DigestAlgorithm.Sha256, hash.GetHashAndReset());
    }

    private static string FullName(string tag)
    {
        try
        {
            return ImageReference.Parse(tag).Canonical;
        }
        catch (ImageStoreException)
        {
            return tag;
        }
    }

    private byte[] Whole(string file) => OciLayoutSource.ReadWhole(_files, file, OciLimits.MaxConfigBytes, Name);

    private ImageStoreException Missing(Digest digest) =>
        new(ErrorKind.NotFound, $"{Printable.Of(Name)} does not hold {digest}.", "Make the archive anew.");
}
