using System.Buffers.Binary;
using System.IO.Hashing;

namespace ImageStore.Store.Metadata;

/// <summary>LiteDB's log on disk, with what LiteDB leaves out: a chained checksum a page, and one place to sync it.</summary>
/// <remarks>
/// A frame is 24 bytes (salt, index, chained checksum) and a page. Opening cuts after the last frame that is whole and
/// confirms a transaction. The head tells how many frames were synced, so that damage is told from a torn end.
/// </remarks>
internal sealed class PageLog : IDisposable
{
    private const int PageBytes = DataPages.PageBytes;
    private const int HeaderBytes = 24;
    private const int FrameBytes = HeaderBytes + PageBytes;
    private const int TransactionOffset = 14;
    private const int ConfirmedOffset = 18;

    private readonly MetadataFile _file;
    private readonly string _path;
    private readonly byte[] _frame = new byte[FrameBytes];
    private readonly List<ulong> _chains = [];
    private FileHead _head;

    /// <summary>Takes over <paramref name="file"/>, which has a head.</summary>
    public PageLog(MetadataFile file, string path)
    {
        (_file, _path) = (file, path);
        _head = FileHead.Read(file, FileHead.LogMagic, path);
    }

    public FileHead Head => _head;

    /// <summary>Frames that count.</summary>
    public int Count => _chains.Count;

    public long Bytes => (long)Count * FrameBytes;

    /// <summary>Whether the last frame confirms a transaction.</summary>
    public bool IsConfirmed { get; private set; } = true;

    /// <summary>Makes an empty log.</summary>
    public static void Create(MetadataFile file, ulong database, ulong generation)
    {
        new FileHead(database, generation, FileHead.NewSalt(), 0).Write(file, FileHead.LogMagic);
        file.Sync();
    }

    /// <summary>Reads what was committed within the first <paramref name="limit"/> frames: for each page its last content.</summary>
    public Dictionary<long, byte[]> Recover(int limit)
    {
        Dictionary<long, byte[]> committed = [];
        List<(uint Transaction, long Page, byte[] Content)> pending = [];
        var whole = 0;
        while (_chains.Count < limit && _file.Read(_frame, Position(_chains.Count)) == FrameBytes && IsNext())
        {
            _chains.Add(BinaryPrimitives.ReadUInt64LittleEndian(_frame.AsSpan(16)));
            var content = _frame[HeaderBytes..];
            var transaction = BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(TransactionOffset));
            pending.Add((transaction, BinaryPrimitives.ReadUInt32LittleEndian(content), content));
            if (content[ConfirmedOffset] != 0)
            {
                // Transactions follow one another: what others left unconfirmed before is dead, and its number is used again.
                foreach (var change in pending.Where(change => change.Transaction == transaction))
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(change.Content.AsSpan(TransactionOffset), uint.MaxValue);
                    change.Content[ConfirmedOffset] = 0;
                    committed[change.Page] = change.Content;
                }

                pending.Clear();
                whole = _chains.Count;
            }
        }

        _chains.RemoveRange(whole, _chains.Count - whole);
        return whole >= _head.Extent
            ? committed
            : throw FileHead.Damaged(_path, $"{_head.Extent} pages were committed, and {whole} are whole");
    }

    /// <summary>Cuts what follows the last frame that counts, and has the next sync write the head anew.</summary>
    public void Cut()
    {
        _head.Write(_file, FileHead.LogMagic);
        if (_file.Length > Position(Count))
        {
            _file.SetLength(Position(Count));
        }

        if (Count > _head.Extent)
        {
            // A sync that failed leaves pages that look clean and are not on disk: only what is written again is synced.
            for (var frame = (int)_head.Extent; frame < Count; frame++)
            {
                ReadFrame(frame);
                _file.Write(_frame, Position(frame));
            }

            Sync();
        }
    }

    /// <summary>Begins anew, when the data file has everything.</summary>
    public void Reset(ulong generation)
    {
        _head = _head with { Generation = generation, Salt = FileHead.NewSalt(), Extent = 0 };
        _chains.Clear();
        IsConfirmed = true;
        _head.Write(_file, FileHead.LogMagic);
        _file.SetLength(FileHead.Bytes);
    }

    public void Read(int frame, Span<byte> page)
    {
        ReadFrame(frame);
        _frame.AsSpan(HeaderBytes).CopyTo(page);
    }

    public void Append(ReadOnlySpan<byte> page)
    {
        page.CopyTo(_frame.AsSpan(HeaderBytes));
        var chain = Chain(Count);
        BinaryPrimitives.WriteUInt64LittleEndian(_frame, _head.Salt);
        BinaryPrimitives.WriteInt64LittleEndian(_frame.AsSpan(8), Count);
        BinaryPrimitives.WriteUInt64LittleEndian(_frame.AsSpan(16), chain);
        _file.Write(_frame, Position(Count));
        _chains.Add(chain);
        IsConfirmed = page[ConfirmedOffset] != 0;
    }

    /// <summary>Makes all frames durable. That they are is noted in the head, which the next sync makes durable.</summary>
    public void Sync()
    {
        _file.Sync();
        _head = _head with { Extent = Count };
        try
        {
            _head.Write(_file, FileHead.LogMagic);
        }
        catch (IOException)
        {
            // The frames are durable all the same; only damage to the last of them would go unnoticed.
        }
    }

    public void Dispose() => _file.Dispose();

    private static long Position(int frame) => FileHead.Bytes + ((long)frame * FrameBytes);

    private void ReadFrame(int frame)
    {
        if (_file.Read(_frame, Position(frame)) != FrameBytes || Chain(frame) != _chains[frame])
        {
            throw FileHead.Damaged(_path, $"frame {frame} does not match its checksum");
        }
    }

    private bool IsNext() =>
        BinaryPrimitives.ReadUInt64LittleEndian(_frame) == _head.Salt
        && BinaryPrimitives.ReadInt64LittleEndian(_frame.AsSpan(8)) == Count
        && BinaryPrimitives.ReadUInt64LittleEndian(_frame.AsSpan(16)) == Chain(Count);

    private ulong Chain(int frame)
    {
        var before = frame == 0 ? _head.Salt : _chains[frame - 1];
        return XxHash3.HashToUInt64(
            _frame.AsSpan(HeaderBytes), unchecked((long)(before + ((ulong)frame * 0x9E3779B97F4A7C15UL))));
    }
}
