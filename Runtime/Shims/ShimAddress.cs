using System.Globalization;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using ImageStore.Runtime.Protocol.Bootstrap;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Shims;

/// <summary>Where a shim listens, as it says when it has begun, and as a bundle keeps it.</summary>
/// <param name="Version">Of the shim's service: 2 or 3.</param>
/// <param name="Socket">The path of its socket.</param>
internal sealed record ShimAddress(int Version, string Socket)
{
    private const string Scheme = "unix://";
    private const string OnlyProtocol = "ttrpc";
    private const int LongestAddress = 4096;
    private const int Oldest = 2;
    private const int Newest = 3;

    /// <summary>Reads an answer of any age: the bare address, JSON, or a message.</summary>
    /// <exception cref="ImageStoreException">It is none, or what it says is not spoken here (<see cref="ErrorKind.Unsupported"/>).</exception>
    public static ShimAddress Parse(ReadOnlySpan<byte> answer)
    {
        var text = Encoding.UTF8.GetString(answer).Trim();
        if (text.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return Checked(Oldest, text, OnlyProtocol);
        }

        try
        {
            return text.StartsWith('{') ? OfJson(text) : OfMessage(BootstrapResult.Parser.ParseFrom(answer));
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or FormatException or InvalidProtocolBufferException)
        {
            throw new ImageStoreException(
                ErrorKind.Unsupported, $"The shim's answer '{Printable.Of(text)}' is no address.", "Look into the shim's log, or name another runtime.", malformed);
        }
    }

    /// <summary>As <c>bootstrap.json</c> has it.</summary>
    public byte[] ToJson()
    {
        using var content = new MemoryStream();
        using (var json = new Utf8JsonWriter(content))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteString("address", Scheme + Socket);
            json.WriteString("protocol", OnlyProtocol);
            json.WriteEndObject();
        }

        return content.ToArray();
    }

    private static ShimAddress OfJson(string text)
    {
        using var json = JsonDocument.Parse(text);
        var fields = json.RootElement;
        return Checked(
            fields.TryGetProperty("version", out var version) ? version.GetInt32() : Oldest,
            fields.TryGetProperty("address", out var address) ? address.GetString() ?? string.Empty : string.Empty,
            fields.TryGetProperty("protocol", out var protocol) ? protocol.GetString() ?? string.Empty : string.Empty);
    }

    private static ShimAddress OfMessage(BootstrapResult result) => Checked(result.Version, result.Address, result.Protocol);

    private static ShimAddress Checked(int version, string address, string protocol)
    {
        var why = version is < Oldest or > Newest ? string.Create(CultureInfo.InvariantCulture, $"version {version} of the task service")
            : protocol is not (OnlyProtocol or "") ? $"the protocol {Printable.Of(protocol)}"
            : !address.StartsWith(Scheme + "/", StringComparison.Ordinal) || address.Length > LongestAddress || address.Any(char.IsControl) ? $"the address '{Printable.Of(address)}'"
            : null;
        return why is null ? new ShimAddress(version, address[Scheme.Length..]) : throw new ImageStoreException(
            ErrorKind.Unsupported, $"The shim has {why}, which is not spoken here.", $"Versions {Oldest} and {Newest} over {OnlyProtocol} on a Unix socket are.");
    }
}
