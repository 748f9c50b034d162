namespace ImageStore.Runtime.Ttrpc;

/// <summary>The flags of requests and data; a unary request has none.</summary>
[Flags]
internal enum FrameFlags : byte
{
    /// <summary>A unary call.</summary>
    None = 0,

    /// <summary>A stream whose sender sends no more.</summary>
    RemoteClosed = 1,

    /// <summary>A stream whose sender goes on.</summary>
    RemoteOpen = 2,

    /// <summary>Data that is no message, not even an empty one.</summary>
    NoData = 4,
}
