using System.Buffers.Binary;
using System.IO.Hashing;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Metadata;

/// <summary>LiteDB's log on disk, with what LiteDB leaves out: a chained checksum a page, and one place to sync it.</summary>
/// <remarks>
/// A frame is 32 bytes of header (salt, index, chained checksum, zero) and a page of 8 KiB. LiteDB sees the pages alone.
/// Opening cuts everything after the last frame that is whole and confirms a transaction.
/// </remarks>
internal sealed class FramedLogStream : PositionedStream
{
    public const int PageBytes = 8192;
    private const int HeaderBytes = 32;
    private const int FrameBytes = HeaderBytes + PageBytes;
    private const int ConfirmedOffset = 18;

    private readonly SafeFileHandle _file;
    private readonly Lock _gate = new();
    private readonly ManualResetEventSlim _grown = new(false);
    private readonly byte[] _frame = new byte[FrameBytes];
    private long _pages;
    private ulong _salt;
    private ulong _chain;
    private bool _dirty;

    /// <summary>Takes over <paramref name="file"/>, and cuts it when <paramref name="canWrite"/>.</summary>
    public FramedLogStream(SafeFileHandle file, bool canWrite)
    {
        _file = file;
        Recover();
        if (canWrite)
        {
            RandomAccess.SetLength(file, _pages * FrameBytes);
            if (_pages == 0)
            {
                _salt = NewSalt();
                _chain = _salt;
            }
        }
    }

    public override long Length
    {
        get
        {
            lock (_gate)
            {
                return _pages * PageBytes;
            }
        }
    }

    public override void SetLength(long value)
    {
        lock (_gate)
        {
            if (value != 0)
            {
                throw new NotSupportedException("The log is only ever emptied.");
            }

            RandomAccess.SetLength(_file, 0);
            _pages = 0;
            _salt = NewSalt();
            _chain = _salt;
            _dirty = true;
        }
    }

    /// <summary>Does nothing: a commit syncs once, when all its pages are there.</summary>
    public override void Flush()
    {
    }

    /// <summary>Makes everything that was written durable.</summary>
    public void Sync()
    {
        lock (_gate)
        {
            if (_dirty)
            {
                RandomAccess.FlushToDisk(_file);
                _dirty = false;
            }
        }
    }

    /// <summary>Waits until LiteDB's queue has written <paramref name="length"/> bytes of pages.</summary>
    /// <exception cref="ImageStoreException">It has not in time (<see cref="ErrorKind.Unavailable"/>).</exception>
    public void WaitForLength(long length, TimeSpan limit)
    {
        while (Length < length)
        {
            _grown.Reset();
            if (Length < length && !_grown.Wait(limit))
            {
                throw new ImageStoreException(
                    ErrorKind.Unavailable, "The metadata log was not written in time.", "Check the disk, then repeat the command.");
            }
        }
    }

    protected override int ReadAt(Span<byte> buffer, long position)
    {
        lock (_gate)
        {
            var (page, offset) = Math.DivRem(position, PageBytes);
            return page >= _pages
                ? 0
                : RandomAccess.Read(
                    _file,
                    buffer[..(int)Math.Min(buffer.Length, PageBytes - offset)],
                    (page * FrameBytes) + HeaderBytes + offset);
        }
    }

    protected override void WriteAt(ReadOnlySpan<byte> buffer, long position)
    {
        lock (_gate)
        {
            if (buffer.Length != PageBytes || position != _pages * PageBytes)
            {
                throw new NotSupportedException("The log takes whole pages, in order.");
            }

            buffer.CopyTo(_frame.AsSpan(HeaderBytes));
            WriteHeader(_pages);
            RandomAccess.Write(_file, _frame, _pages * FrameBytes);
            _pages++;
            _dirty = true;
        }

        _grown.Set();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
            _grown.Dispose();
        }

        base.Dispose(disposing);
    }

    private static ulong NewSalt() => (ulong)Random.Shared.NextInt64(1, long.MaxValue);

    private void Recover()
    {
        var (index, chain) = (0L, 0UL);
        while (RandomAccess.Read(_file, _frame, index * FrameBytes) == FrameBytes)
        {
            var salt = BinaryPrimitives.ReadUInt64LittleEndian(_frame);
            if (index == 0)
            {
                (_salt, chain) = (salt, salt);
            }

            var stored = BinaryPrimitives.ReadUInt64LittleEndian(_frame.AsSpan(16));
            if (salt != _salt
                || BinaryPrimitives.ReadInt64LittleEndian(_frame.AsSpan(8)) != index
                || stored != Chain(chain, index)
                || BinaryPrimitives.ReadUInt64LittleEndian(_frame.AsSpan(24)) != 0)
            {
                break;
            }

            (chain, index) = (stored, index + 1);
            if (_frame[HeaderBytes + ConfirmedOffset] != 0)
            {
                (_pages, _chain) = (index, chain);
            }
        }
    }

    private void WriteHeader(long index)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_frame, _salt);
        BinaryPrimitives.WriteInt64LittleEndian(_frame.AsSpan(8), index);
        BinaryPrimitives.WriteUInt64LittleEndian(_frame.AsSpan(24), 0);
        _chain = Chain(_chain, index);
        BinaryPrimitives.WriteUInt64LittleEndian(_frame.AsSpan(16), _chain);
    }

    private ulong Chain(ulong before, long index) =>
        XxHash3.HashToUInt64(_frame.AsSpan(HeaderBytes), unchecked((long)(before + ((ulong)index * 0x9E3779B97F4A7C15UL))));
}
