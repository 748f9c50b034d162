namespace ImageStore.Gc;

/// <summary>Why a resource stays though nothing refers to it.</summary>
public enum RootReason
{
    /// <summary>It is an image.</summary>
    Image,

    /// <summary>It is a lease.</summary>
    Lease,

    /// <summary>It has the label <c>containerd.io/gc.root</c>.</summary>
    Label,

    /// <summary>It is a snapshot that is written to or looked at.</summary>
    InUse,

    /// <summary>It is a container.</summary>
    Container,
}
