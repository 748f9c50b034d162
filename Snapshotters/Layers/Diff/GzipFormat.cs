using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>One gzip member (RFC 1952) of deflate blocks that were made apart from each other.</summary>
/// <remarks>
/// Each block ends on a byte with an empty stored block, zlib's sync flush, and is not the last of its stream: so they can stand
/// one after the other (RFC 1951, 3.2.3 and 3.2.4). No match reaches over a border, which costs a little size. One member, since
/// some readers stop after the first.
/// </remarks>
internal sealed class GzipFormat(int level) : BlockFormat
{
    private const int Slack = 1024;

    private readonly ZLibCompressionOptions _options = new() { CompressionLevel = level };
    private readonly Crc32 _crc = new();
    private uint _length;

    public override int BlockBytes => 1 << 20;

    // No name and no time; the system is "unknown".
    private static ReadOnlySpan<byte> Head => [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

    /// <summary>A last block with nothing in it, by the fixed code.</summary>
    private static ReadOnlySpan<byte> LastBlock => [3, 0];

    public override void Begin(Stream output) => output.Write(Head);

    public override void Look(ReadOnlySpan<byte> content)
    {
        _crc.Append(content);
        _length = unchecked(_length + (uint)content.Length);
    }

    public override void Compress(CompressedBlock block)
    {
        // zlib-ng's fastest level writes nine bits for a byte at worst.
        var room = block.Room(BlockBytes + (BlockBytes >> 3) + Slack);
        using var result = new MemoryStream(room);
        using var deflate = new DeflateStream(result, _options, leaveOpen: true);
        deflate.Write(block.Content);
        deflate.Flush();
        block.Done((int)result.Position);
    }

    public override void End(Stream output)
    {
        Span<byte> tail = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(tail, _crc.GetCurrentHashAsUInt32());
        BinaryPrimitives.WriteUInt32LittleEndian(tail[4..], _length);
        output.Write(LastBlock);
        output.Write(tail);
    }
}
