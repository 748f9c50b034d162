using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Oci;

/// <summary>A content digest, <c>sha256:&lt;64 hex&gt;</c> or <c>sha512:&lt;128 hex&gt;</c>, lower case.</summary>
/// <remarks>
/// It exists only by parsing or hashing, so its text is safe in a path and in a URL.
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests">OCI image spec, digests</see>.
/// </remarks>
[System.Text.Json.Serialization.JsonConverter(typeof(DigestJsonConverter))]
public readonly record struct Digest : ISpanParsable<Digest>, IComparable<Digest>
{
    private const string Sha256Prefix = "sha256:";
    private const string Sha512Prefix = "sha512:";
    private static readonly SearchValues<char> s_lowerHex = SearchValues.Create("0123456789abcdef");

    private readonly string? _text;

    private Digest(string text) => _text = text;

    /// <summary>The algorithm.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default</c>.</exception>
    public DigestAlgorithm Algorithm =>
        Text.StartsWith(Sha256Prefix, StringComparison.Ordinal) ? DigestAlgorithm.Sha256 : DigestAlgorithm.Sha512;

    /// <summary>The algorithm's name as it stands in the text and on disk: <c>sha256</c> or <c>sha512</c>.</summary>
    public string AlgorithmName => Text[..(Sha256Prefix.Length - 1)];

    /// <summary>The hexadecimal part, lower case.</summary>
    public string Hex => Text[Sha256Prefix.Length..];

    private string Text => _text ?? throw new InvalidOperationException("An empty digest was used.");

    /// <summary>Parses <paramref name="text"/>.</summary>
    /// <exception cref="ImageStoreException">It is not a digest (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static Digest Parse(string text) => Parse(text.AsSpan(), null);

    /// <inheritdoc cref="Parse(string)"/>
    public static Digest Parse(string s, IFormatProvider? provider) => Parse(s.AsSpan(), provider);

    /// <inheritdoc cref="Parse(string)"/>
    public static Digest Parse(ReadOnlySpan<char> s, IFormatProvider? provider) =>
        TryParse(s, provider, out var digest)
            ? digest
            : throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(s)}' is not a digest.",
                "Write sha256: and 64 lower-case hexadecimal digits, or sha512: and 128.");

    /// <summary>Parses <paramref name="text"/>, or returns false.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Digest result) =>
        TryParse(text.AsSpan(), null, out result);

    /// <inheritdoc cref="TryParse(string, out Digest)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Digest result) =>
        TryParse(s.AsSpan(), provider, out result);

    /// <inheritdoc cref="TryParse(string, out Digest)"/>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out Digest result)
    {
        var known = (s.StartsWith(Sha256Prefix, StringComparison.Ordinal) && s.Length == Sha256Prefix.Length + 64)
            || (s.StartsWith(Sha512Prefix, StringComparison.Ordinal) && s.Length == Sha512Prefix.Length + 128);
        if (!known || s[Sha256Prefix.Length..].ContainsAnyExcept(s_lowerHex))
        {
            result = default;
            return false;
        }

        result = new Digest(s.ToString());
        return true;
    }

    /// <summary>Hashes <paramref name="bytes"/>.</summary>
    public static Digest Compute(ReadOnlySpan<byte> bytes, DigestAlgorithm algorithm = DigestAlgorithm.Sha256) =>
        FromHash(algorithm, algorithm == DigestAlgorithm.Sha256 ? SHA256.HashData(bytes) : SHA512.HashData(bytes));

    /// <summary>Makes a digest of a finished hash.</summary>
    /// <param name="algorithm">The algorithm that made it.</param>
    /// <param name="hash">32 bytes for SHA-256, 64 for SHA-512.</param>
    public static Digest FromHash(DigestAlgorithm algorithm, ReadOnlySpan<byte> hash)
    {
        var (prefix, length) = algorithm == DigestAlgorithm.Sha256 ? (Sha256Prefix, 32) : (Sha512Prefix, 64);
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, length);
        return new Digest(prefix + Convert.ToHexStringLower(hash));
    }

    /// <summary>An incremental hash of this digest's algorithm.</summary>
    public static IncrementalHash CreateHash(DigestAlgorithm algorithm) =>
        IncrementalHash.CreateHash(
            algorithm == DigestAlgorithm.Sha256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA512);

    /// <inheritdoc/>
    public int CompareTo(Digest other) => string.CompareOrdinal(_text, other._text);

    /// <summary>Orders by text, ordinal.</summary>
    public static bool operator <(Digest left, Digest right) => left.CompareTo(right) < 0;

    /// <summary>Orders by text, ordinal.</summary>
    public static bool operator >(Digest left, Digest right) => left.CompareTo(right) > 0;

    /// <summary>Orders by text, ordinal.</summary>
    public static bool operator <=(Digest left, Digest right) => left.CompareTo(right) <= 0;

    /// <summary>Orders by text, ordinal.</summary>
    public static bool operator >=(Digest left, Digest right) => left.CompareTo(right) >= 0;

    /// <summary>The canonical text.</summary>
    public override string ToString() => Text;
}
