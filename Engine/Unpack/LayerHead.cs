namespace ImageStore.Engine.Unpack;

/// <summary>A stream whose first bytes were looked at, and are read again.</summary>
internal sealed class LayerHead : Stream
{
    private const int HeadBytes = 512;

    private readonly Stream _rest;
    private ReadOnlyMemory<byte> _unread;

    private LayerHead(ReadOnlyMemory<byte> bytes, Stream rest) => (Bytes, _unread, _rest) = (bytes, bytes, rest);

    /// <summary>The first bytes, at most 512.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Reads the head; the caller still owns <paramref name="source"/>.</summary>
    public static LayerHead Read(Stream source)
    {
        var buffer = new byte[HeadBytes];
        var count = source.ReadAtLeast(buffer, HeadBytes, throwOnEndOfStream: false);
        return new LayerHead(buffer.AsMemory(0, count), source);
    }

    public override int Read(Span<byte> buffer)
    {
        if (_unread.IsEmpty)
        {
            return _rest.Read(buffer);
        }

        var count = Math.Min(buffer.Length, _unread.Length);
        _unread.Span[..count].CopyTo(buffer);
        _unread = _unread[count..];
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
