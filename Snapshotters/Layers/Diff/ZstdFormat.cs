using System.Collections.Concurrent;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>Zstandard frames one after the other (RFC 8878, 3.1), each with its size and checksum.</summary>
internal sealed class ZstdFormat(int level) : BlockFormat
{
    private readonly ConcurrentBag<Compressor> _idle = [];
    private bool _isEmpty = true;

    // Two windows of the usual level, so that little is lost by blocks that cannot see each other.
    public override int BlockBytes => 4 << 20;

    public override void Begin(Stream output)
    {
    }

    public override void Look(ReadOnlySpan<byte> content) => _isEmpty = false;

    public override void Compress(CompressedBlock block)
    {
        var compressor = _idle.TryTake(out var idle) ? idle : Make();
        block.Done(compressor.Wrap(block.Content, block.Room(Compressor.GetCompressBound(BlockBytes))));
        _idle.Add(compressor);
    }

    public override void End(Stream output)
    {
        if (_isEmpty)
        {
            var block = new CompressedBlock(0);
            Compress(block);
            output.Write(block.Result);
        }
    }

    public override void Dispose()
    {
        foreach (var compressor in _idle)
        {
            compressor.Dispose();
        }

        base.Dispose();
    }

    private Compressor Make()
    {
        var compressor = new Compressor(level);
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        return compressor;
    }
}
