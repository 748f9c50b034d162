namespace ImageStore.Distribution.Hosts;

/// <summary>What a host is trusted with, as in containerd's hosts.toml.</summary>
[Flags]
public enum HostCapabilities
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>To serve what is asked for by digest.</summary>
    Pull = 1,

    /// <summary>To say which digest a tag has.</summary>
    Resolve = 2,

    /// <summary>To be written to.</summary>
    Push = 4,

    /// <summary>To list what refers to an image.</summary>
    Referrers = 8,

    /// <summary>Everything.</summary>
    All = Pull | Resolve | Push | Referrers,
}
