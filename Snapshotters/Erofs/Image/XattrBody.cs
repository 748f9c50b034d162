using System.Buffers.Binary;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>Extended attributes as they follow an inode. Names end with NUL, as for the kernel's calls.</summary>
internal static class XattrBody
{
    private const int HeaderBytes = 12;
    private const int EntryBytes = 4;
    private const int Unit = 4;
    private const int NotSupported = 95;
    private static readonly (byte Index, byte[] Prefix, bool IsWhole)[] s_prefixes =
    [
        (1, "user."u8.ToArray(), false),
        (2, "system.posix_acl_access"u8.ToArray(), true),
        (3, "system.posix_acl_default"u8.ToArray(), true),
        (4, "trusted."u8.ToArray(), false),
        (6, "security."u8.ToArray(), false),
    ];

    /// <summary>How long the attributes are, by the count that the inode has.</summary>
    public static int Bytes(ushort count) => count == 0 ? 0 : HeaderBytes + (Unit * (count - 1));

    /// <summary>The count that an inode has for so many bytes.</summary>
    public static ushort Count(int bytes) => bytes == 0 ? (ushort)0 : (ushort)(((bytes - HeaderBytes) / Unit) + 1);

    /// <summary>The bytes of the attributes; empty for none. They are sorted, so that a layer gives one image whatever their order.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">There are too many, or a file system has none of the name.</exception>
    public static byte[] Encode(IEnumerable<KeyValuePair<byte[], byte[]>> attributes, string shown)
    {
        var sorted = attributes.OrderBy(pair => pair.Key, ByteOrder.Instance).ToList();
        if (sorted.Count == 0)
        {
            return [];
        }

        var total = HeaderBytes + sorted.Sum(pair => (long)EntrySize(Split(pair.Key, shown).Suffix.Length, pair.Value.Length));
        if (total > Bytes(ushort.MaxValue) || sorted.Exists(pair => pair.Value.Length > ushort.MaxValue))
        {
            throw ImageFault.Limit($"bytes of extended attributes of one file, at '{shown}'", Bytes(ushort.MaxValue));
        }

        var body = new byte[total];
        var at = HeaderBytes;
        foreach (var (name, value) in sorted)
        {
            var (index, rest) = Split(name, shown);
            body[at] = (byte)rest.Length;
            body[at + 1] = index;
            BinaryPrimitives.WriteUInt16LittleEndian(body.AsSpan(at + 2), (ushort)value.Length);
            rest.CopyTo(body.AsSpan(at + EntryBytes));
            value.CopyTo(body.AsSpan(at + EntryBytes + rest.Length));
            at += EntrySize(rest.Length, value.Length);
        }

        return body;
    }

    /// <summary>The attributes in what <see cref="Encode"/> made.</summary>
    public static Dictionary<byte[], byte[]> Decode(ReadOnlySpan<byte> body)
    {
        Dictionary<byte[], byte[]> attributes = new(ByteOrder.Instance);
        if (body.Length > 0 && body[4] != 0)
        {
            throw ImageFault.Damaged("it has shared attributes, which we never write");
        }

        for (var at = HeaderBytes; at < body.Length;)
        {
            var entry = body[at..];
            var index = entry.Length < EntryBytes ? 0 : entry[1];
            var prefix = Array.Find(s_prefixes, p => p.Index == index);
            var value = entry.Length < EntryBytes ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(entry[2..]);
            if (prefix.Prefix is null || EntrySize(entry[0], value) > entry.Length)
            {
                throw ImageFault.Damaged("an extended attribute is malformed");
            }

            byte[] name = [.. prefix.Prefix, .. entry.Slice(EntryBytes, entry[0]), 0];
            attributes[name] = entry.Slice(EntryBytes + entry[0], value).ToArray();
            at += EntrySize(entry[0], value);
        }

        return attributes;
    }

    private static int EntrySize(int name, int value) => (int)ErofsFormat.RoundUp(EntryBytes + name + value, Unit);

    private static (byte Index, byte[] Suffix) Split(byte[] name, string shown)
    {
        foreach (var (index, prefix, isWhole) in s_prefixes)
        {
            var rest = name.Length - 1 - prefix.Length;
            if (name.AsSpan().StartsWith(prefix) && (isWhole ? rest == 0 : rest is > 0 and <= byte.MaxValue))
            {
                return (index, name[prefix.Length..^1]);
            }
        }

        throw KernelError.Of(NotSupported, $"set an extended attribute of '{shown}'");
    }
}
