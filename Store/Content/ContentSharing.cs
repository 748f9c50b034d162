namespace ImageStore.Store.Content;

/// <summary>When a namespace gets a blob that only others have, without its bytes being sent again.</summary>
public enum ContentSharing
{
    /// <summary>When the registry that the blob came from just said that the namespace's credentials may have it, or its
    /// owner has the label <c>containerd.io/namespace.shareable=true</c>.</summary>
    Proof,

    /// <summary>Whoever knows the digest; containerd's default.</summary>
    Shared,

    /// <summary>Only from namespaces with that label.</summary>
    Isolated,
}
