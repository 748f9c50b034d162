using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Copies owner, attributes (without overlayfs' own), mode and time from one directory to another.</summary>
internal static class MetadataCopy
{
    private static ReadOnlySpan<byte> SecurityLabel => "security.selinux\0"u8;

    internal static void To(SafeFileHandle from, SafeFileHandle to, FileMetadata metadata, string shown)
    {
        var self = RootedPath.Name(".");
        InodeChange.Own(to, metadata.Uid, metadata.Gid, shown);
        var given = Xattr.List(from, self);
        foreach (var attribute in Xattr.List(to, self))
        {
            // What overlayfs would show has only the upper directory's. A security module's label cannot be removed.
            if (!OverlayAttributes.Owns(attribute) && !attribute.AsSpan().SequenceEqual(SecurityLabel)
                && !given.Exists(a => a.AsSpan().SequenceEqual(attribute)))
            {
                Xattr.Remove(to, self, attribute, shown);
            }
        }

        foreach (var attribute in given)
        {
            if (!OverlayAttributes.Owns(attribute) && Xattr.Get(from, self, attribute) is { } value)
            {
                Xattr.Set(to, self, attribute, value, shown);
            }
        }

        InodeChange.Permit(to, metadata.Permissions, shown);
        InodeChange.Touch(to, metadata.Seconds, metadata.Nanoseconds, shown);
    }
}
