using System.Net.Http.Headers;

namespace ImageStore.Distribution.Transport;

/// <summary>One request, kept so that it can be sent again.</summary>
internal sealed record RegistryRequest(HttpMethod Method, Uri Uri)
{
    public AuthenticationHeaderValue? Authorization { get; init; }

    public string? Accept { get; init; }

    /// <summary>The first byte asked for; 0 asks for all, without a Range header.</summary>
    public long RangeFrom { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>>? Form { get; init; }

    /// <summary>The most that a success's body may hold; null leaves it unread, for streaming.</summary>
    public int? BodyLimit { get; init; }
}
