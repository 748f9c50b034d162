using System.Buffers.Binary;
using System.IO.Hashing;
using ImageStore.Store;

namespace ImageStore.Snapshotters.Layers.Gzip;

/// <summary>Gunzips members that follow each other (RFC 1952) with ISA-L; anything but their whole is an error.</summary>
internal sealed class IsalGzipStream(Stream compressed) : ReadOnlyStream
{
    private const int InputBytes = 128 * 1024;
    private const int TrailerBytes = 8;
    private const byte Deflate = 8;
    private readonly IsalInflater _inflater = new();
    private readonly Crc32 _crc = new();
    private readonly Crc32 _headerCrc = new();

    // What the inflater gives back goes before what was read last.
    private readonly byte[] _input = GC.AllocateUninitializedArray<byte>(IsalInflater.MaxTakenBack + InputBytes);
    private int _at;
    private int _end;
    private uint _length;
    private bool _inMember;
    private bool _hadMember;

    [Flags]
    private enum Flags : byte
    {
        HeaderCrc = 2,
        Extra = 4,
        Name = 8,
        Comment = 16,
        Reserved = 0xe0,
    }

    public override int Read(Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            if (!_inMember && !Begin())
            {
                return 0;
            }

            if (_at == _end && !Refill())
            {
                throw Truncated();
            }

            ReadOnlySpan<byte> input = _input.AsSpan(_at.._end);
            var rest = buffer;
            var ended = _inflater.Inflate(ref input, ref rest);
            _at = _end - input.Length;
            var read = buffer.Length - rest.Length;
            _crc.Append(buffer[..read]);
            _length += (uint)read;
            if (ended)
            {
                End();
            }

            if (read > 0)
            {
                return read;
            }
        }

        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inflater.Dispose();
        }

        base.Dispose(disposing);
    }

    private static Store.Errors.ImageStoreException Truncated() => LayerFault.Corrupt("the gzip stream is truncated.");

    /// <summary>Reads a member's header; false where the input ends instead.</summary>
    private bool Begin()
    {
        if (_at == _end && !Refill())
        {
            return _hadMember ? false : throw Truncated();
        }

        _headerCrc.Reset();
        if (HeaderByte() != 0x1f || HeaderByte() != 0x8b)
        {
            throw LayerFault.Corrupt(_hadMember ? "the gzip stream has bytes after its end." : "it is no gzip stream.");
        }

        var method = HeaderByte();
        var flags = (Flags)HeaderByte();
        if (method != Deflate || (flags & Flags.Reserved) != 0)
        {
            throw LayerFault.Corrupt("its gzip header asks for what no version of gzip has.");
        }

        // Time, level and system.
        SkipHeader(6);
        if (flags.HasFlag(Flags.Extra))
        {
            SkipHeader(HeaderByte() | (HeaderByte() << 8));
        }

        SkipText(flags.HasFlag(Flags.Name));
        SkipText(flags.HasFlag(Flags.Comment));
        if (flags.HasFlag(Flags.HeaderCrc))
        {
            var expected = (ushort)_headerCrc.GetCurrentHashAsUInt32();
            if ((HeaderByte() | (HeaderByte() << 8)) != expected)
            {
                throw LayerFault.Corrupt("its gzip header is damaged.");
            }
        }

        _inflater.Reset();
        _crc.Reset();
        _length = 0;
        _inMember = _hadMember = true;
        return true;
    }

    /// <summary>Holds a member's checksum and length against what came out of it.</summary>
    private void End()
    {
        Span<byte> ahead = stackalloc byte[IsalInflater.MaxTakenBack];
        ahead = ahead[.._inflater.TakeBack(ahead)];
        _at -= ahead.Length;
        ahead.CopyTo(_input.AsSpan(_at));
        Span<byte> trailer = stackalloc byte[TrailerBytes];
        foreach (ref var part in trailer)
        {
            part = Next();
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(trailer) != _crc.GetCurrentHashAsUInt32()
            || BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]) != _length)
        {
            throw LayerFault.Corrupt("the gzip stream's checksum is wrong.");
        }

        _inMember = false;
    }

    private void SkipHeader(int count)
    {
        for (; count > 0; count--)
        {
            HeaderByte();
        }
    }

    private void SkipText(bool isThere)
    {
        while (isThere && HeaderByte() != 0)
        {
        }
    }

    private byte HeaderByte()
    {
        var next = Next();
        _headerCrc.Append([next]);
        return next;
    }

    private byte Next() => _at < _end || Refill() ? _input[_at++] : throw Truncated();

    private bool Refill()
    {
        _at = IsalInflater.MaxTakenBack;
        _end = _at + compressed.Read(_input.AsSpan(_at));
        return _end > _at;
    }
}
