using System.Text.Json;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>Images of an OCI layout, in a folder or a tar.</summary>
/// <remarks><see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md">OCI image spec, image layout</see>.</remarks>
public sealed class OciLayoutSource : IImageCollection, IPartialSource
{
    internal const string IndexFile = "index.json";
    internal const string MarkerFile = "oci-layout";

    private const int MaxMarkerBytes = 4096;

    private readonly IImageFiles _files;
    private readonly ImageIndex _index;

    private OciLayoutSource(IImageFiles files, string name, ImageIndex index)
    {
        (_files, Name, _index) = (files, name, index);
        Images = [.. index.Manifests.Select(entry => new NamedImage(LayoutNames.Of(entry), LayoutNames.Bare(entry)))];
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyList<NamedImage> Images { get; }

    /// <summary>Opens the layout in a folder.</summary>
    /// <exception cref="ImageStoreException">It is none.</exception>
    public static OciLayoutSource OpenFolder(string directory)
    {
        ArgumentNullException.ThrowIfNull(directory);
        return Directory.Exists(directory)
            ? Open(new FolderFiles(directory), $"oci:{directory}")
            : throw new ImageStoreException(ErrorKind.NotFound, $"The folder {Printable.Of(directory)} is not there.", "Check the path.");
    }

    internal static OciLayoutSource Open(IImageFiles files, string name)
    {
        var marker = ReadWhole(files, MarkerFile, MaxMarkerBytes, name);
        CheckVersion(marker, name);
        var index = OciDocument.ParseIndex(ReadWhole(files, IndexFile, OciLimits.MaxManifestBytes, name), MediaTypes.OciIndex);
        return new OciLayoutSource(files, name, index);
    }

    /// <inheritdoc/>
    public Task<Descriptor?> FindAsync(string tagOrDigest, CancellationToken cancellationToken)
    {
        var found = NamedImage.Find(Images, tagOrDigest, Name);
        return Task.FromResult(found);
    }

    /// <inheritdoc/>
    public async Task<FetchedManifest> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        if (descriptor.Size > OciLimits.MaxManifestBytes)
        {
            throw new ImageStoreException(
                ErrorKind.LimitExceeded, $"{Printable.Of(Name)}: the manifest {descriptor.Digest} is longer than {OciLimits.MaxManifestBytes} bytes.");
        }

        var stream = await OpenBlobAsync(descriptor, 0, cancellationToken).ConfigureAwait(false);
        await using var opened = stream.ConfigureAwait(false);
        var bytes = new byte[descriptor.Size];
        await stream.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
        return Digest.Compute(bytes, descriptor.Digest.Algorithm) == descriptor.Digest
            ? new FetchedManifest(descriptor, bytes)
            : throw new ImageStoreException(
                ErrorKind.CorruptData, $"{Printable.Of(Name)}: the bytes of {descriptor.Digest} have another digest.", "Make the archive anew.");
    }

    /// <inheritdoc/>
    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blob);
        var file = BlobFile(blob.Digest);
        return _files.Length(file) switch
        {
            null => throw new ImageStoreException(
                ErrorKind.NotFound,
                $"{Printable.Of(Name)} does not hold {blob.Digest}.",
                "It may hold only some platforms, or only what was missing elsewhere: choose with --platform, or make it whole."),
            { } length when length == blob.Size => Task.FromResult(_files.Open(file, offset)),
            { } length => throw new ImageStoreException(
                ErrorKind.CorruptData,
                $"{Printable.Of(Name)}: {blob.Digest} has {length} bytes there, not {blob.Size}.",
                "Make the archive anew."),
        };
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Descriptor>> ListReferrersAsync(Digest subject, CancellationToken cancellationToken)
    {
        List<Descriptor> found = [];
        foreach (var entry in _index.Manifests.Where(entry => MediaTypes.IsDocument(entry.MediaType) && entry.Digest != subject))
        {
            if (_files.Length(BlobFile(entry.Digest)) is null)
            {
                continue;
            }

            var manifest = await FetchManifestAsync(LayoutNames.Bare(entry), cancellationToken).ConfigureAwait(false);
            if (DocumentLinks.Parse(manifest.Bytes, entry.MediaType).Subject?.Digest == subject)
            {
                found.Add(LayoutNames.Bare(entry));
            }
        }

        return found;
    }

    /// <inheritdoc/>
    public bool Holds(Descriptor blob)
    {
        ArgumentNullException.ThrowIfNull(blob);
        return _files.Length(BlobFile(blob.Digest)) == blob.Size;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _files.Dispose();
        return ValueTask.CompletedTask;
    }

    internal static string BlobFile(Digest digest) => $"blobs/{digest.ToString().Replace(':', '/')}";

    /// <summary>A small file of the layout; null when it is not there.</summary>
    internal byte[]? ReadOptional(string file, int limit) =>
        _files.Length(file) is null ? null : ReadWhole(_files, file, limit, Name);

    internal static byte[] ReadWhole(IImageFiles files, string file, int limit, string name)
    {
        var length = files.Length(file) ?? throw TarFiles.NotAnArchive(name, $"it has no {file}");
        if (length > limit)
        {
            throw new ImageStoreException(
                ErrorKind.LimitExceeded, $"{Printable.Of(name)}: {file} has {length} bytes; the limit is {limit}.");
        }

        using var stream = files.Open(file, 0);
        var bytes = new byte[length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static void CheckVersion(byte[] marker, string name)
    {
        try
        {
            using var json = JsonDocument.Parse(marker);
            if (json.RootElement.GetProperty("imageLayoutVersion").GetString() is { } version && version.StartsWith("1.", StringComparison.Ordinal))
            {
                return;
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw TarFiles.NotAnArchive(name, "its oci-layout file is malformed", failure);
        }

        throw new ImageStoreException(
            ErrorKind.Unsupported, $"{Printable.Of(name)} has a layout version that is not known; 1.0.0 is.", "Make it with another tool.");
    }
}
