using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Copies owner, attributes (without overlayfs' own), mode and time from one directory to another.</summary>
internal static class MetadataCopy
{
    internal static void To(SafeFileHandle from, SafeFileHandle to, FileMetadata metadata, string shown)
    {
        var self = RootedPath.Name(".");
        InodeChange.Own(to, metadata.Uid, metadata.Gid, shown);
        foreach (var attribute in Xattr.List(from, self))
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
