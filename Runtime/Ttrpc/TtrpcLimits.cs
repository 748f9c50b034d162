namespace ImageStore.Runtime.Ttrpc;

/// <summary>What one end of a connection takes from the other.</summary>
internal static class TtrpcLimits
{
    /// <summary>The bytes of a message, by the protocol.</summary>
    public const int MessageBytes = 4 << 20;

    /// <summary>The calls that a client may have under way on one connection; further ones are refused.</summary>
    /// <remarks>Every process that somebody waits for takes one for as long as it runs.</remarks>
    public const int CallsAtOnce = 4096;

    /// <summary>The bytes that wait for the other end to read them; above it, a server reads nothing more, and a client's calls wait.</summary>
    public const int WaitingBytes = 1 << 20;

    /// <summary>The headers of a call.</summary>
    public const int MetadataEntries = 256;
}
