using System.Text;

namespace ImageStore.TestKit;

/// <summary>A response, with the faults that it is to show.</summary>
public sealed record FakeResponse
{
    /// <summary>The status code.</summary>
    public int Status { get; init; } = 200;

    /// <summary>The headers; Content-Length is added unless it is here or <see cref="OmitLength"/>.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>The body.</summary>
    public byte[] Body { get; init; } = [];

    /// <summary>Break the connection after so many bytes of the body.</summary>
    public int? TruncateAt { get; init; }

    /// <summary>Fall silent, with the connection open, after so many bytes of the body.</summary>
    public int? StallAt { get; init; }

    /// <summary>Send the body no faster than this; null for as fast as it goes.</summary>
    public int? BytesPerSecond { get; init; }

    /// <summary>So many bytes come at once before <see cref="BytesPerSecond"/> holds.</summary>
    public int FastBytes { get; init; }

    /// <summary>Send the body without end.</summary>
    public bool Endless { get; init; }

    /// <summary>Let the connection's end be the body's.</summary>
    public bool OmitLength { get; init; }

    /// <summary>A response with a text.</summary>
    public static FakeResponse Text(int status, string text, params (string Name, string Value)[] headers) => new()
    {
        Status = status,
        Body = Encoding.UTF8.GetBytes(text),
        Headers = headers.ToDictionary(h => h.Name, h => h.Value),
    };
}
