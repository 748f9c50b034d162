using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Oci;

/// <summary>An operating system, architecture and variant, in Go's names: <c>linux/arm64/v8</c>.</summary>
/// <remarks><see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md">OCI image spec, image index</see>.</remarks>
public sealed record Platform
{
    /// <summary>The architecture, such as <c>amd64</c>.</summary>
    [JsonPropertyName("architecture")]
    public required string Architecture { get; init; }

    /// <summary>The operating system, such as <c>linux</c>.</summary>
    [JsonPropertyName("os")]
    public required string Os { get; init; }

    /// <summary>The architecture's variant, such as <c>v7</c>.</summary>
    [JsonPropertyName("variant")]
    public string? Variant { get; init; }

    /// <summary>The operating system's version; Windows only.</summary>
    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    /// <summary>What the operating system has to offer; Windows only.</summary>
    [JsonPropertyName("os.features")]
    public IReadOnlyList<string>? OsFeatures { get; init; }

    /// <summary>This machine's.</summary>
    public static Platform Current { get; } = new Platform
    {
        Os = "linux",
        Architecture = RuntimeInformation.OSArchitecture switch
        {
            System.Runtime.InteropServices.Architecture.X64 => "amd64",
            System.Runtime.InteropServices.Architecture.X86 => "386",
            System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
            System.Runtime.InteropServices.Architecture.Arm => "arm",
            var other => other.ToString().ToLowerInvariant(),
        },
    }.Normalize();

    /// <summary>Parses <c>os/arch[/variant]</c>, or an architecture alone, which means linux.</summary>
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static Platform Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split('/');
        if (parts.Length > 3 || Array.Exists(parts, part => part.Length == 0 || !part.All(IsPlatformCharacter)))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(text)}' is not a platform.",
                "Write os/architecture or os/architecture/variant, such as linux/arm64/v8.");
        }

        return (parts.Length == 1
            ? new Platform { Os = "linux", Architecture = parts[0] }
            : new Platform { Os = parts[0], Architecture = parts[1], Variant = parts.Length == 3 ? parts[2] : null })
            .Normalize();
    }

    /// <summary>The one spelling of it: <c>x86_64</c> is <c>amd64</c>, arm without a variant is v7, arm64's v8 is implied.</summary>
    public Platform Normalize()
    {
        var os = Os.ToLowerInvariant() is "macos" ? "darwin" : Os.ToLowerInvariant();
        var variant = Variant?.ToLowerInvariant();
        return (Architecture.ToLowerInvariant(), variant) switch
        {
            ("x86_64" or "x86-64" or "amd64", null or "" or "v1") => With("amd64", null),
            ("x86_64" or "x86-64" or "amd64", _) => With("amd64", variant),
            ("i386" or "i486" or "i586" or "i686" or "386", _) => With("386", null),
            ("aarch64" or "arm64", null or "" or "8" or "v8") => With("arm64", null),
            ("aarch64" or "arm64", _) => With("arm64", variant),
            ("armhf", _) => With("arm", "v7"),
            ("armel", _) => With("arm", "v6"),
            ("arm", null or "" or "7") => With("arm", "v7"),
            ("arm", "5" or "6" or "8") => With("arm", "v" + variant),
            var (architecture, _) => With(architecture, string.IsNullOrEmpty(variant) ? null : variant),
        };

        Platform With(string architecture, string? normal) =>
            this with { Os = os, Architecture = architecture, Variant = normal };
    }

    /// <summary>How well an image for <paramref name="offered"/> runs here: 0 not at all, else higher is better.</summary>
    /// <remarks>An exact match is best; then lower variants of arm, arm64 and amd64, and 32-bit arm on arm64.</remarks>
    public int Rank(Platform offered)
    {
        const int exact = 1000;
        var (wanted, other) = (Normalize(), offered.Normalize());
        if (wanted.Os != other.Os)
        {
            return 0;
        }

        if (wanted.Architecture == other.Architecture)
        {
            var (have, need) = (Level(wanted), Level(other));
            return have == need && wanted.Variant == other.Variant ? exact : need < have ? exact - (have - need) : 0;
        }

        return wanted.Architecture == "arm64" && other.Architecture == "arm" ? 100 + Level(other) : 0;
    }

    /// <summary><c>os/arch[/variant]</c>.</summary>
    public override string ToString() =>
        Variant is null ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";

    private static bool IsPlatformCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.';

    private static int Level(Platform platform) =>
        platform.Variant is ['v', >= '1' and <= '9'] v ? v[1] - '0' : platform.Architecture == "arm64" ? 8 : 1;
}
