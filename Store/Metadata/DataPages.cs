using System.Buffers.Binary;
using System.IO.Hashing;

namespace ImageStore.Store.Metadata;

/// <summary>The data file: LiteDB's pages, each followed by the checksum that LiteDB leaves out.</summary>
internal sealed class DataPages : IDisposable
{
    public const int PageBytes = 8192;
    private const int RecordBytes = PageBytes + sizeof(ulong);

    private readonly MetadataFile _file;
    private readonly string _path;
    private readonly byte[] _record = new byte[RecordBytes];

    /// <summary>Takes over <paramref name="file"/>, which has a head.</summary>
    public DataPages(MetadataFile file, string path)
    {
        (_file, _path) = (file, path);
        Head = FileHead.Read(file, FileHead.DataMagic, path);
        if (file.Length < Position(Head.Extent))
        {
            throw FileHead.Damaged(path, $"it should have {Position(Head.Extent)} bytes, and has {file.Length}");
        }
    }

    private DataPages(MetadataFile file, string path, FileHead head) => (_file, _path, Head) = (file, path, head);

    public FileHead Head { get; private set; }

    /// <summary>A file without head, which is given its first by <see cref="Publish"/>.</summary>
    public static DataPages Begin(MetadataFile file, string path, ulong database) =>
        new(file, path, new FileHead(database, 0, FileHead.NewSalt(), 0));

    public void Read(long page, Span<byte> buffer)
    {
        if (page >= Head.Extent
            || _file.Read(_record, Position(page)) != RecordBytes
            || BinaryPrimitives.ReadUInt64LittleEndian(_record.AsSpan(PageBytes)) != Checksum(page))
        {
            throw FileHead.Damaged(_path, $"page {page} does not match its checksum");
        }

        _record.AsSpan(0, PageBytes).CopyTo(buffer);
    }

    /// <summary>Writes a page in place: only while the log can repeat it.</summary>
    public void Write(long page, ReadOnlySpan<byte> content)
    {
        content.CopyTo(_record);
        BinaryPrimitives.WriteUInt64LittleEndian(_record.AsSpan(PageBytes), Checksum(page));
        _file.Write(_record, Position(page));
    }

    /// <summary>Makes the pages durable, and after them the head which says that the log is no more needed.</summary>
    public void Publish(ulong generation, long extent)
    {
        _file.Sync();
        var head = Head with { Generation = generation, Extent = extent };
        head.Write(_file, FileHead.DataMagic);
        _file.Sync();
        Head = head;
    }

    /// <summary>Whether the disk has room for so many pages.</summary>
    public bool HasRoom(long pages) => _file.TryAllocate(Position(pages));

    public void Dispose() => _file.Dispose();

    private static long Position(long page) => FileHead.Bytes + (page * RecordBytes);

    private ulong Checksum(long page) =>
        XxHash3.HashToUInt64(_record.AsSpan(0, PageBytes), unchecked((long)Head.Salt + page));
}
