using System.Buffers.Binary;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>Access control lists as their attributes hold them, read by the kernel's rules: into an image nobody else reads them.</summary>
/// <remarks>Four bytes with the version, then eight for each entry: tag, permissions, id.</remarks>
internal sealed class PosixAcl
{
    private const int HeaderBytes = 4;
    private const int EntryBytes = 8;
    private const uint Version = 2;
    private const uint NoId = uint.MaxValue;
    private const ushort MaxPermissions = 7;
    private const ushort Owner = 1, User = 2, OwningGroup = 4, Group = 8, Mask = 0x10, Others = 0x20;
    private readonly List<(ushort Tag, ushort Permissions, uint Id)> _entries = [];

    /// <summary>Reads a list; null for one of no entries, which is to be taken away.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    /// <exception cref="NotSupportedException">It is of another version.</exception>
    public static PosixAcl? Read(ReadOnlySpan<byte> value)
    {
        if (value.Length < HeaderBytes)
        {
            throw new FormatException();
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(value) != Version)
        {
            throw new NotSupportedException();
        }

        var acl = new PosixAcl();
        for (var rest = value[HeaderBytes..]; rest.Length > 0; rest = rest[EntryBytes..])
        {
            if (rest.Length < EntryBytes)
            {
                throw new FormatException();
            }

            var tag = BinaryPrimitives.ReadUInt16LittleEndian(rest);
            var id = tag is User or Group ? BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]) : NoId;
            acl._entries.Add((tag, BinaryPrimitives.ReadUInt16LittleEndian(rest[2..]), id));
        }

        return acl._entries.Count == 0 ? null : acl.IsValid() ? acl : throw new FormatException();
    }

    /// <summary>Does it say more than a mode can?</summary>
    public bool IsMoreThanAMode => _entries.Exists(entry => entry.Tag is User or Group or Mask);

    /// <summary>Has it say what a mode says, as <c>chmod</c> does.</summary>
    public void Permit(uint mode)
    {
        var forGroup = _entries.Exists(entry => entry.Tag == Mask) ? Mask : OwningGroup;
        for (var i = 0; i < _entries.Count; i++)
        {
            var (tag, permissions, id) = _entries[i];
            permissions = tag == Owner ? (ushort)((mode >> 6) & MaxPermissions)
                : tag == forGroup ? (ushort)((mode >> 3) & MaxPermissions)
                : tag == Others ? (ushort)(mode & MaxPermissions)
                : permissions;
            _entries[i] = (tag, permissions, id);
        }
    }

    /// <summary>The attribute's value.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[HeaderBytes + (EntryBytes * _entries.Count)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Version);
        var to = bytes.AsSpan(HeaderBytes);
        foreach (var (tag, permissions, id) in _entries)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(to, tag);
            BinaryPrimitives.WriteUInt16LittleEndian(to[2..], permissions);
            BinaryPrimitives.WriteUInt32LittleEndian(to[4..], id);
            to = to[EntryBytes..];
        }

        return bytes;
    }

    // The owner, users, the owning group, groups, a mask where there are users or groups, and the others, in this order.
    private bool IsValid()
    {
        int[] counts = new int[Others + 1];
        var last = 0;
        foreach (var (tag, permissions, id) in _entries)
        {
            if (tag < last || permissions > MaxPermissions || tag is not (Owner or User or OwningGroup or Group or Mask or Others)
                || (id == NoId && tag is User or Group))
            {
                return false;
            }

            last = tag;
            counts[tag]++;
        }

        return counts[Owner] == 1 && counts[OwningGroup] == 1 && counts[Others] == 1 && counts[Mask] <= 1
            && (counts[Mask] == 1 || counts[User] + counts[Group] == 0);
    }
}
