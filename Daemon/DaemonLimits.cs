namespace ImageStore.Daemon;

/// <summary>What clients may ask for at once; beyond it they are refused and nobody else is slowed down.</summary>
internal static class DaemonLimits
{
    /// <summary>Bytes of one message, in and out; containerd's.</summary>
    public const int MessageBytes = 16 << 20;

    /// <summary>Connections.</summary>
    public const int Connections = 1024;

    /// <summary>Of those, the ones that one user may have who is neither root nor the daemon's own.</summary>
    public const int ConnectionsOfAUser = 64;

    /// <summary>Of those, the ones that only root and the daemon's own user get.</summary>
    public const int ConnectionsLeftToRoot = 64;

    /// <summary>Calls under way on one connection.</summary>
    public const int StreamsPerConnection = 256;

    /// <summary>Bytes of headers of a call.</summary>
    public const int HeaderBytes = 64 << 10;

    /// <summary>Bytes that a client may send ahead on one call.</summary>
    public const int StreamWindowBytes = 1 << 20;

    /// <summary>Bytes that a client may send ahead on a connection.</summary>
    public const int ConnectionWindowBytes = 4 << 20;

    /// <summary>Bytes of a piece of a blob that is read; containerd's.</summary>
    public const int ReadChunkBytes = 1 << 20;

    /// <summary>Entries of one message of a list that is streamed; containerd's.</summary>
    public const int ListBatch = 100;

    /// <summary>Streams beside calls that a user may have open in a namespace.</summary>
    public const int StreamsOfAUser = 128;

    /// <summary>Subscribers to events.</summary>
    public const int Subscribers = 1024;

    /// <summary>Events that a subscriber may be behind.</summary>
    public const int SubscriberQueue = 1024;

    /// <summary>Events that a subscriber that comes back can have again.</summary>
    public const int ReplayedEvents = 1024;

    /// <summary>Bytes of an event.</summary>
    public const int EventBytes = 1 << 20;

    /// <summary>Bytes of all events that are kept for subscribers that come back.</summary>
    public const int ReplayedBytes = 4 << 20;

    /// <summary>Connections of shims that tell what happens.</summary>
    public const int ShimConnections = 16384;

    /// <summary>Lines that the audit log may be behind.</summary>
    public const int AuditQueue = 1024;

    /// <summary>How long is waited when a shim could not connect, before the next may.</summary>
    public static readonly TimeSpan AcceptPause = TimeSpan.FromSeconds(1);

    /// <summary>How long calls that are under way may take when the daemon is asked to stop.</summary>
    public static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(10);
}
