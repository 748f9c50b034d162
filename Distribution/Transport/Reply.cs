using System.Net;
using ImageStore.Distribution.Registry;

namespace ImageStore.Distribution.Transport;

/// <summary>A response and what was read of it. Whoever receives it disposes it.</summary>
internal sealed record Reply(HttpResponseMessage Message, Uri FinalUri, ReadOnlyMemory<byte> Body) : IDisposable
{
    /// <summary>What was asked, before any redirect.</summary>
    public required Uri RequestUri { get; init; }

    /// <summary>Whose settings the request had.</summary>
    public RegistryHost? Host { get; init; }

    public HttpStatusCode Status => Message.StatusCode;

    public bool IsSuccess => Message.IsSuccessStatusCode;

    public string? Header(string name) =>
        Message.Headers.NonValidated.TryGetValues(name, out var values)
        || Message.Content.Headers.NonValidated.TryGetValues(name, out values)
            ? values.ToString()
            : null;

    public void Dispose() => Message.Dispose();
}
