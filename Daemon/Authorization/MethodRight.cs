using ImageStore.Engine.Configuration;

namespace ImageStore.Daemon.Authorization;

/// <summary>What a method needs.</summary>
/// <param name="Right">The right; none where it is enough that the caller has any.</param>
/// <param name="Source">Where the namespace stands in which it is needed.</param>
internal readonly record struct MethodRight(AccessRights Right, NamespaceSource Source)
{
    /// <summary>Does the method change something?</summary>
    public bool Changes => Right is not (AccessRights.None or AccessRights.Read);
}
