using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>Keeps the access control lists of this machine's directories out of snapshots.</summary>
/// <remarks>Whoever gave a default ACL to a directory above the root's would have it in every file of every image.</remarks>
internal static class InheritedAcl
{
    private static readonly byte[][] s_lists = ["system.posix_acl_access\0"u8.ToArray(), "system.posix_acl_default\0"u8.ToArray()];

    /// <summary>Takes from a directory what it inherited.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The disk refuses.</exception>
    public static void Remove(string directory)
    {
        using var handle = OpenAt.HostDirectory(directory);
        foreach (var list in s_lists)
        {
            if (Xattr.Get(handle, ".\0"u8, list) is not null)
            {
                Xattr.Remove(handle, ".\0"u8, list, "a snapshot's directory");
            }
        }
    }
}
