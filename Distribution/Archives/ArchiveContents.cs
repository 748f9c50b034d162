using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>What an archive holds, and what it leaves out since its reader has it: written into the archive, and proved before
/// anything of it is committed.</summary>
public sealed record ArchiveContents
{
    internal const string FileName = "imagestore-contents.json";

    internal const int CurrentVersion = 1;
    private const int MaxBytes = 256 * 1024 * 1024;
    private const int ParallelHashes = 2;

    /// <summary>The format; this is 1.</summary>
    public required int Version { get; init; }

    /// <summary>The images under their full names.</summary>
    public required IReadOnlyList<NamedImage> Images { get; init; }

    /// <summary>The blobs and manifests that it holds.</summary>
    public required IReadOnlyList<HeldBlob> Blobs { get; init; }

    /// <summary>The blobs that its images need and it does not hold.</summary>
    public IReadOnlyList<HeldBlob> Elsewhere
    {
        get => field ?? [];
        init;
    }

    /// <summary>The file's bytes: the same for the same contents.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ContentsJson.Writing.ArchiveContents);

    /// <summary>Reads a file that holds contents: such a file itself, or an archive that has one in it.</summary>
    /// <exception cref="ImageStoreException">It is missing, or neither of the two.</exception>
    public static async Task<ArchiveContents> ReadFileAsync(string path, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Path.GetExtension(path) == ".json")
        {
            return Parse(System.Text.Encoding.UTF8.GetBytes(SmallFile.ReadText(path, MaxBytes)), path);
        }

        var archive = await ImageArchive.OpenAsync(path, standardInput: null, cancellationToken).ConfigureAwait(false);
        await using var opened = archive.ConfigureAwait(false);
        return Of(archive) ?? throw new ImageStoreException(
            ErrorKind.InvalidArgument,
            $"{Printable.Of(path)} does not say what it holds.",
            "Only archives that 'imagestore mirror' wrote do, and the files of its --inventory.");
    }

    /// <summary>What <paramref name="archive"/> says that it holds; null where it says nothing.</summary>
    /// <exception cref="ImageStoreException">What it says is malformed.</exception>
    public static ArchiveContents? Of(IImageCollection archive) =>
        archive is OciLayoutSource layout && layout.ReadOptional(FileName, MaxBytes) is { } bytes ? Parse(bytes, layout.Name) : null;

    /// <summary>Proves that <paramref name="archive"/> holds what is said here: each image under its name, each blob with its digest.</summary>
    /// <exception cref="ImageStoreException">It does not (<see cref="ErrorKind.CorruptData"/>).</exception>
    public async Task VerifyAsync(IImageCollection archive, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(archive);
        var there = archive.Images.ToLookup(image => image.Name, image => image.Target.Digest);
        if (Images.FirstOrDefault(image => !there[image.Name].Contains(image.Target.Digest)) is { } lost)
        {
            throw Damaged(archive, $"it lacks the image {Printable.Of(lost.Name ?? lost.Target.Digest.ToString())}");
        }

        await Parallel.ForEachAsync(
            Blobs,
            new ParallelOptions { MaxDegreeOfParallelism = ParallelHashes, CancellationToken = cancellationToken },
            async (blob, token) =>
            {
                try
                {
                    var bytes = await archive.OpenBlobAsync(blob.ToDescriptor(), 0, token).ConfigureAwait(false);
                    await using var opened = bytes.ConfigureAwait(false);
                    await VerifyingCopy.RunAsync(bytes, Stream.Null, blob.ToDescriptor(), OciLayoutTarget.DamagedSource, null, token).ConfigureAwait(false);
                }
                catch (ImageStoreException failure) when (failure.Kind is ErrorKind.CorruptData or ErrorKind.NotFound)
                {
                    throw Damaged(archive, failure.Message.TrimEnd('.'));
                }
            }).ConfigureAwait(false);
    }

    private static ArchiveContents Parse(byte[] bytes, string name)
    {
        try
        {
            var contents = JsonSerializer.Deserialize(bytes, ContentsJson.Default.ArchiveContents);
            return contents is null ? throw new JsonException()
                : contents.Version == CurrentVersion ? contents
                : throw new ImageStoreException(
                    ErrorKind.Unsupported,
                    $"{Printable.Of(name)}: its contents are written in format {contents.Version}, which is not known; {CurrentVersion} is.",
                    "Use a newer imagestore.");
        }
        catch (Exception failure) when (failure is JsonException or FormatException or NotSupportedException)
        {
            throw new ImageStoreException(
                ErrorKind.CorruptData, $"{Printable.Of(name)}: what it says of its contents is malformed.", "Make it anew.", failure);
        }
    }

    private static ImageStoreException Damaged(IImageCollection archive, string why) => new(
        ErrorKind.CorruptData,
        $"{Printable.Of(archive.Name)} is not what it was when it was written: {why}.",
        "Bring it over again; nothing of it was taken.");
}

/// <summary>A blob, and a repository that has it.</summary>
/// <param name="Digest">Its digest.</param>
/// <param name="Size">Its bytes.</param>
/// <param name="Repository">The repository at the source, such as <c>docker.io/library/alpine</c>; another one may have it too.</param>
public sealed record HeldBlob(Digest Digest, long Size, string? Repository)
{
    internal Descriptor ToDescriptor() => new() { MediaType = MediaTypes.OctetStream, Digest = Digest, Size = Size };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    AllowDuplicateProperties = false,
    MaxDepth = OciLimits.MaxJsonDepth,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ArchiveContents))]
internal sealed partial class ContentsJson : JsonSerializerContext
{
    private static ContentsJson? s_writing;

    // Made when it is asked for: the generated half of the class has no order with this one.
    public static ContentsJson Writing => s_writing ??=
        new ContentsJson(new JsonSerializerOptions(s_defaultOptions) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
