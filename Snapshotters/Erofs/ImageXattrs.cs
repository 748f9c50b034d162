using System.Buffers.Binary;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>Gives a file in an image the extended attributes that its entry brings, as the kernel would: it never sees the file being made.</summary>
internal static class ImageXattrs
{
    private const int MaxNameBytes = 255;
    private const uint TypeMask = 0xF000;

    private static ReadOnlySpan<byte> SystemSpace => "system."u8;

    /// <summary>Adds to <paramref name="own"/> what an entry brings.</summary>
    /// <param name="own">What the file has so far, by names with NUL.</param>
    /// <param name="entry">The entry.</param>
    /// <param name="mode">Type and permissions that the file has from now on.</param>
    /// <param name="shown">What errors call it.</param>
    /// <exception cref="Store.Errors.ImageStoreException">The kernel would refuse a name or a value.</exception>
    public static void Add(Dictionary<byte[], byte[]> own, TarEntry entry, uint mode, string shown)
    {
        var type = mode & TypeMask;
        var kind = type == FileType.Directory ? FileKind.Directory : type == FileType.Regular ? FileKind.Regular : FileKind.Other;
        foreach (var (attribute, value) in EntryXattrs.Of(entry, kind, shown))
        {
            if (attribute.Length - 1 > MaxNameBytes || IsPrefix(attribute))
            {
                throw EntryXattrs.Malformed(attribute, shown);
            }

            if (attribute.AsSpan().StartsWith(SystemSpace))
            {
                if (type != FileType.Symlink)
                {
                    AddAcl(own, attribute, value, shown);
                }
            }
            else
            {
                own[attribute] = !attribute.AsSpan().SequenceEqual(EntryXattrs.Capability) || IsCapability(value)
                    ? value : throw EntryXattrs.Malformed(attribute, shown);
            }
        }

        var access = EntryXattrs.AccessAcl.ToArray();
        if (own.TryGetValue(access, out var list) && PosixAcl.Read(list) is { } acl)
        {
            acl.Permit(mode);
            own[access] = acl.ToBytes();
        }
    }

    // Of what the kernel keeps for itself there are two lists; the rest no file system has.
    private static void AddAcl(Dictionary<byte[], byte[]> own, byte[] attribute, byte[] value, string shown)
    {
        var isAccess = attribute.AsSpan().SequenceEqual(EntryXattrs.AccessAcl);
        if (!isAccess && !attribute.AsSpan().SequenceEqual(EntryXattrs.DefaultAcl))
        {
            return;
        }

        try
        {
            if (PosixAcl.Read(value) is { } acl && (acl.IsMoreThanAMode || !isAccess))
            {
                own[attribute] = acl.ToBytes();
            }
            else
            {
                own.Remove(attribute);
            }
        }
        catch (FormatException)
        {
            throw EntryXattrs.Malformed(attribute, shown);
        }
        catch (NotSupportedException)
        {
            // Left out, as what else the kernel does not know.
        }
    }

    // A namespace with nothing behind it.
    private static bool IsPrefix(ReadOnlySpan<byte> attribute) =>
        attribute.IndexOf((byte)'.') == attribute.Length - 2 && !attribute.StartsWith(SystemSpace);

    // By its version and length: the second, or the third, which has the user namespace's root behind.
    private static bool IsCapability(ReadOnlySpan<byte> value) =>
        value.Length >= sizeof(uint) && (BinaryPrimitives.ReadUInt32LittleEndian(value) >> 24, value.Length) is (2, 20) or (3, 24);
}
