namespace ImageStore.Distribution.Transport;

/// <summary>What a user may add to requests.</summary>
internal static class SentHeader
{
    /// <summary>Can it be sent? A header of the body, which is ours to know, cannot.</summary>
    public static bool IsOne(string name, string value)
    {
        using var request = new HttpRequestMessage();
        return value.All(c => c is >= ' ' and <= '~') && request.Headers.TryAddWithoutValidation(name, value);
    }
}
