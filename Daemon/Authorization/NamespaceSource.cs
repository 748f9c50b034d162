namespace ImageStore.Daemon.Authorization;

/// <summary>What says in which namespace a call works.</summary>
internal enum NamespaceSource
{
    /// <summary>The header.</summary>
    Header,

    /// <summary>The request itself, whatever the header says.</summary>
    Request,

    /// <summary>Nothing: it works in all of them, and is root's and the daemon's own user's alone.</summary>
    All,

    /// <summary>Nothing: it is about the daemon, or leaves out by itself what the caller may not see.</summary>
    None,
}
