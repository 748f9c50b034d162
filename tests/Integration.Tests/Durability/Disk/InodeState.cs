namespace ImageStore.Integration.Tests.Durability.Disk;

/// <summary>What an inode holds at one moment.</summary>
internal sealed class InodeState
{
    /// <summary>The attribute for the time of the last change, where it was set and not by writing.</summary>
    public const string Time = "time";

    public const string Mode = "mode";
    public const string Owner = "owner";
    public const string XattrPrefix = "xattr:";

    private byte[] _bytes = [];

    public InodeState()
    {
    }

    private InodeState(InodeState other)
    {
        (_bytes, Length) = ([.. other._bytes.AsSpan(0, other.Length)], other.Length);
        Entries = new(other.Entries, StringComparer.Ordinal);
        Attributes = new(other.Attributes, StringComparer.Ordinal);
    }

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    /// <summary>The names in a directory.</summary>
    public SortedDictionary<string, Inode> Entries { get; } = new(StringComparer.Ordinal);

    /// <summary>Mode in octal, owner as <c>uid:gid</c>, time as <c>seconds.nanoseconds</c>, extended attributes in hexadecimal.</summary>
    public SortedDictionary<string, string> Attributes { get; } = new(StringComparer.Ordinal);

    public InodeState Copy() => new(this);

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        if (offset + bytes.Length > Length)
        {
            SetLength(offset + bytes.Length);
        }

        bytes.CopyTo(_bytes.AsSpan((int)offset));
    }

    public void SetLength(long length)
    {
        if (length > _bytes.Length)
        {
            Array.Resize(ref _bytes, (int)Math.Max(length, 2L * _bytes.Length));
        }

        if (length < Length)
        {
            Array.Clear(_bytes, (int)length, Length - (int)length);
        }

        Length = (int)length;
    }

    public void SetAttribute(string key, string? value)
    {
        if (value is null)
        {
            Attributes.Remove(key);
        }
        else
        {
            Attributes[key] = value;
        }
    }
}
