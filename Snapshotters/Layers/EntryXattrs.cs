using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Gives a file the extended attributes that its entry brings.</summary>
/// <remarks>
/// What this machine has no place for is left out, as containerd does: names of other systems (macOS writes
/// <c>com.apple.*</c>), and those that the file system does not keep. A capability is never left out: without it the
/// program would not work, and nobody would know why.
/// </remarks>
internal static class EntryXattrs
{
    private static readonly string[] s_namespaces = ["user.", "trusted.", "security.", "system."];

    /// <summary>The attribute that new files of a directory inherit from.</summary>
    public static ReadOnlySpan<byte> DefaultAcl => "system.posix_acl_default\0"u8;

    /// <summary>The attribute that says more of who may use a file than its mode does.</summary>
    public static ReadOnlySpan<byte> AccessAcl => "system.posix_acl_access\0"u8;

    /// <summary>The attribute with which a program has rights of root.</summary>
    public static ReadOnlySpan<byte> Capability => "security.capability\0"u8;

    /// <summary>The attributes of an entry that a file of the kind may have, by their names with NUL.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">What is no directory has a default ACL.</exception>
    public static IEnumerable<(byte[] Name, byte[] Value)> Of(TarEntry entry, FileKind kind, string shown)
    {
        foreach (var (key, value) in entry.Xattrs)
        {
            var attribute = RootedPath.Name(key);
            if (!Array.Exists(s_namespaces, space => key.StartsWith(space, StringComparison.Ordinal))
                || OverlayAttributes.Owns(attribute)
                || (kind == FileKind.Other && key.StartsWith("user.", StringComparison.Ordinal)))
            {
                continue;
            }

            yield return attribute.AsSpan().SequenceEqual(DefaultAcl) && kind != FileKind.Directory
                ? throw LayerFault.Corrupt($"'{shown}' is no directory, but has a default ACL.") : (attribute, value);
        }
    }

    /// <summary>Sets all but a default ACL, which has to wait until the directory is complete.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The kernel refuses a name or a value.</exception>
    public static void Set(TarEntry entry, FileKind kind, SafeFileHandle parent, byte[] name, string shown)
    {
        foreach (var (attribute, value) in Of(entry, kind, shown))
        {
            if (!attribute.AsSpan().SequenceEqual(DefaultAcl))
            {
                Set(parent, name, attribute, value, shown);
            }
        }
    }

    /// <summary>Sets one attribute.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The kernel refuses its name or value.</exception>
    public static void Set(SafeFileHandle parent, byte[] name, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value, string shown)
    {
        var result = Xattr.TrySet(parent, name, attribute, value, shown);
        if (result == XattrResult.Malformed)
        {
            throw Malformed(attribute, shown);
        }

        if (result == XattrResult.NotSupported && attribute.SequenceEqual(Capability))
        {
            throw new Store.Errors.ImageStoreException(
                Store.Errors.ErrorKind.Unsupported,
                $"'{shown}' has file capabilities, and the file system of the snapshots keeps none.",
                "Put the root on a file system with extended attributes.");
        }
    }

    /// <summary>The default ACL that an entry of a directory brings, or null.</summary>
    public static byte[]? DefaultAclOf(TarEntry entry)
    {
        foreach (var (key, value) in entry.Xattrs)
        {
            if (RootedPath.Name(key).AsSpan().SequenceEqual(DefaultAcl))
            {
                return value;
            }
        }

        return null;
    }

    /// <summary>Tells of an attribute that no file system takes.</summary>
    public static Store.Errors.ImageStoreException Malformed(ReadOnlySpan<byte> attribute, string shown) =>
        LayerFault.Corrupt($"'{shown}' has an extended attribute '{Shown(attribute)}' whose name or value the kernel refuses.");

    private static string Shown(ReadOnlySpan<byte> attribute) => LayerFault.Show(System.Text.Encoding.Latin1.GetString(attribute[..^1]));
}
