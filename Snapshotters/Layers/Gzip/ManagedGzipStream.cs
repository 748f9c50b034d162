using System.IO.Compression;
using System.Security.Cryptography;
using ImageStore.Store;

namespace ImageStore.Snapshotters.Layers.Gzip;

/// <summary>Gunzips with the runtime's own zlib and proves that the input was whole.</summary>
/// <remarks>
/// GZipStream takes a truncated member for an end. So a random member of our own follows the input: only if it comes
/// out at the end was everything before it complete.
/// </remarks>
internal sealed class ManagedGzipStream : ReadOnlyStream
{
    private const int SealBytes = 32;
    private readonly GZipStream _gzip;
    private readonly byte[] _seal;
    private readonly byte[] _held = new byte[SealBytes];
    private int _heldBytes;

    public ManagedGzipStream(Stream compressed) =>
        _gzip = new GZipStream(new Sealed(compressed, out _seal), CompressionMode.Decompress);

    public override int Read(Span<byte> buffer)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(buffer.Length, 2 * SealBytes);
        while (true)
        {
            var read = _gzip.Read(buffer[_heldBytes..]);
            if (read == 0)
            {
                return _heldBytes == SealBytes && _held.AsSpan().SequenceEqual(_seal)
                    ? 0 : throw LayerFault.Corrupt("the gzip stream is truncated or has bytes after its end.");
            }

            _held.AsSpan(0, _heldBytes).CopyTo(buffer);
            var total = _heldBytes + read;
            _heldBytes = Math.Min(SealBytes, total);
            buffer[(total - _heldBytes)..total].CopyTo(_held);
            if (total > SealBytes)
            {
                return total - SealBytes;
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        _gzip.Dispose();
        base.Dispose(disposing);
    }

    private sealed class Sealed : ReadOnlyStream
    {
        private readonly Stream _inner;
        private readonly byte[] _member;
        private int _sent;
        private bool _ended;

        public Sealed(Stream inner, out byte[] seal)
        {
            _inner = inner;
            seal = RandomNumberGenerator.GetBytes(SealBytes);
            using var member = new MemoryStream();
            using (var gzip = new GZipStream(member, CompressionLevel.Fastest, leaveOpen: true))
            {
                gzip.Write(seal);
            }

            _member = member.ToArray();
        }

        public override int Read(Span<byte> buffer)
        {
            var read = _ended ? 0 : _inner.Read(buffer);
            _ended |= read == 0;
            if (_ended)
            {
                read = Math.Min(buffer.Length, _member.Length - _sent);
                _member.AsSpan(_sent, read).CopyTo(buffer);
                _sent += read;
            }

            return read;
        }
    }
}
