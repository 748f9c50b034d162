namespace ImageStore.Distribution.Registry;

/// <summary>Where the parts of a blob came from, as long as that is one place.</summary>
internal sealed class BlobOrigin
{
    private bool _isMixed;

    /// <summary>The endpoint of all parts; null where there were none, or several, or one that is not sure.</summary>
    public string? Endpoint { get; private set; }

    /// <summary>Adds a part.</summary>
    /// <param name="endpoint">Where it came from; null where that is not sure.</param>
    public void Add(string? endpoint)
    {
        _isMixed |= endpoint is null || (Endpoint ?? endpoint) != endpoint;
        Endpoint = _isMixed ? null : endpoint;
    }
}
