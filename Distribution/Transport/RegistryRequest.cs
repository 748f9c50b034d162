using System.Net.Http.Headers;
using ImageStore.Distribution.Registry;

namespace ImageStore.Distribution.Transport;

/// <summary>One request, kept so that it can be sent again.</summary>
internal sealed record RegistryRequest(HttpMethod Method, Uri Uri)
{
    public AuthenticationHeaderValue? Authorization { get; init; }

    /// <summary>Whose settings apply (TLS, headers, caps); null for the defaults. Headers and our certificates stay within its origin.</summary>
    public RegistryHost? Host { get; init; }

    public string? Accept { get; init; }

    /// <summary>The first byte asked for; 0 asks for all, without a Range header.</summary>
    public long RangeFrom { get; init; }

    /// <summary>The last byte asked for, or null for all that follow.</summary>
    public long? RangeTo { get; init; }

    /// <summary>Does it take a connection of its own, and so HTTP/1.1? Over HTTP/2 requests share one, which a slow server limits as a whole.</summary>
    public bool OwnConnection { get; init; }

    public RequestBody? Body { get; init; }

    /// <summary>Is it sent again by itself after a failure of the moment?</summary>
    public bool Retry { get; init; } = true;

    public IReadOnlyList<KeyValuePair<string, string>>? Form { get; init; }

    /// <summary>The most that a success's body may hold; null leaves it unread, for streaming.</summary>
    public int? BodyLimit { get; init; }
}
