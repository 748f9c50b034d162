using ImageStore.Store;

namespace ImageStore.Engine.Unpack;

/// <summary>A stream whose first bytes were looked at, and are read again.</summary>
internal sealed class LayerHead : ReadOnlyStream
{
    private const int HeadBytes = 512;

    private readonly Stream _rest;
    private ReadOnlyMemory<byte> _unread;

    private LayerHead(ReadOnlyMemory<byte> bytes, Stream rest) => (Bytes, _unread, _rest) = (bytes, bytes, rest);

    /// <summary>The first bytes, at most 512.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

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
}
