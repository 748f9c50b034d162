namespace ImageStore.Engine.Configuration;

/// <summary>What somebody may do in a namespace.</summary>
[Flags]
public enum AccessRights
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>See what is there.</summary>
    Read = 1,

    /// <summary>Change content, images, snapshots, leases and what is written of containers.</summary>
    Write = 2,

    /// <summary>Run what can be run.</summary>
    Run = 4,

    /// <summary>Make, label and remove the namespace itself.</summary>
    Administer = 8,
}
