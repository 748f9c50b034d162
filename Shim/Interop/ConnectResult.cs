namespace ImageStore.Shim.Interop;

/// <summary>What became of an attempt to connect.</summary>
internal enum ConnectResult
{
    /// <summary>There is a connection.</summary>
    Connected,

    /// <summary>Nobody listens: there is no such file, or whoever made it has ended.</summary>
    Nobody,

    /// <summary>Somebody listens, for whom too many wait already.</summary>
    Busy,
}
