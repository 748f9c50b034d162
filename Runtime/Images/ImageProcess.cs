using System.Text.Json;
using System.Text.Json.Serialization;
using ImageStore.Runtime.Spec;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Runtime.Images;

/// <summary>What an image says of how it is run: the member <c>config</c> of its configuration, and what it says of itself.</summary>
/// <remarks>
/// All of it is a stranger's. Volumes and ports are not here: as with containerd, a volume is a directory of the root filesystem
/// until somebody mounts something on it. <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md">OCI image
/// spec, image configuration</see>.
/// </remarks>
public sealed record ImageProcess
{
    /// <summary>As whom it runs, in the forms of <see cref="Users.UserText"/>; empty for root.</summary>
    [JsonPropertyName("User")]
    public string? User { get; init; }

    /// <summary>The environment as <c>NAME=VALUE</c>.</summary>
    [JsonPropertyName("Env")]
    public IReadOnlyList<string>? Env { get; init; }

    /// <summary>The program and first arguments.</summary>
    [JsonPropertyName("Entrypoint")]
    public IReadOnlyList<string>? Entrypoint { get; init; }

    /// <summary>Further arguments, or the program where there is no entrypoint.</summary>
    [JsonPropertyName("Cmd")]
    public IReadOnlyList<string>? Cmd { get; init; }

    /// <summary>The working directory.</summary>
    [JsonPropertyName("WorkingDir")]
    public string? WorkingDir { get; init; }

    /// <summary>Labels.</summary>
    [JsonPropertyName("Labels")]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>The signal that asks it to end, such as <c>SIGTERM</c>.</summary>
    [JsonPropertyName("StopSignal")]
    public string? StopSignal { get; init; }

    /// <summary>The platform and origin of the image.</summary>
    [JsonIgnore]
    public ImageOrigin Origin { get; init; } = new(null, null, null, null, null);

    /// <summary>Reads an image configuration.</summary>
    /// <exception cref="ImageStoreException">It is malformed (<see cref="ErrorKind.CorruptData"/>) or too long (<see cref="ErrorKind.LimitExceeded"/>).</exception>
    public static ImageProcess Parse(ReadOnlySpan<byte> config)
    {
        if (config.Length > OciLimits.MaxConfigBytes)
        {
            throw new ImageStoreException(
                ErrorKind.LimitExceeded, $"The image config has {config.Length} bytes; the limit is {OciLimits.MaxConfigBytes}.");
        }

        try
        {
            var document = JsonSerializer.Deserialize(config, SpecJson.Default.Document) ?? throw new JsonException("it is null");
            var process = document.Config ?? new ImageProcess();
            if (((IEnumerable<string?>)[.. process.Env ?? [], .. process.Entrypoint ?? [], .. process.Cmd ?? [], .. process.Labels?.Values ?? []]).Contains(null))
            {
                throw new JsonException("a word of Env, Entrypoint, Cmd or Labels is null");
            }

            return process with
            {
                Origin = new ImageOrigin(document.Os, document.Architecture, document.Variant, document.Author, document.Created),
            };
        }
        catch (JsonException failure)
        {
            throw new ImageStoreException(
                ErrorKind.CorruptData,
                $"The image config is malformed: {Printable.Of(failure.Message)}",
                "The image itself is at fault: ask its publisher, or pull another tag.",
                failure);
        }
    }

    internal sealed record Document
    {
        [JsonPropertyName("os")]
        public string? Os { get; init; }

        [JsonPropertyName("architecture")]
        public string? Architecture { get; init; }

        [JsonPropertyName("variant")]
        public string? Variant { get; init; }

        [JsonPropertyName("author")]
        public string? Author { get; init; }

        [JsonPropertyName("created")]
        public string? Created { get; init; }

        [JsonPropertyName("config")]
        public ImageProcess? Config { get; init; }
    }
}

/// <summary>For which platform an image is, and whose it is; null for what it does not say.</summary>
/// <param name="Os">The operating system.</param>
/// <param name="Architecture">The architecture.</param>
/// <param name="Variant">Its variant.</param>
/// <param name="Author">Who made it.</param>
/// <param name="Created">When.</param>
public sealed record ImageOrigin(string? Os, string? Architecture, string? Variant, string? Author, string? Created);
