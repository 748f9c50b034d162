namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>Gathers pieces of ascending places before an image's end into few writes; what lies between them becomes zeros.</summary>
internal sealed class RegionWriter(ImageFile file)
{
    private const int BufferBytes = 1 << 16;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private long _start;
    private int _used;

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        if (_used == 0 || offset + bytes.Length > _start + BufferBytes)
        {
            Flush();
            _start = offset;
        }

        if (bytes.Length > BufferBytes)
        {
            file.WriteAt(offset, bytes);
            return;
        }

        var at = (int)(offset - _start);
        bytes.CopyTo(_buffer.AsSpan(at));
        _used = at + bytes.Length;
    }

    public void Flush()
    {
        if (_used > 0)
        {
            file.WriteAt(_start, _buffer.AsSpan(0, _used));
            _buffer.AsSpan(0, _used).Clear();
            _used = 0;
        }
    }
}
