using ImageStore.Snapshotters.Layers.Gzip;
using ImageStore.Store.Errors;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Opens a layer's compressed stream; truncated input is an error, never an early end.</summary>
public static class LayerDecompressor
{
    private const int WindowLogMax = 27;
    private const int ReadBytes = 128 * 1024;

    /// <summary>Tells the compression by the first bytes.</summary>
    /// <exception cref="ImageStoreException">It is one that OCI layers do not have.</exception>
    public static LayerCompression Detect(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]))
        {
            return LayerCompression.Gzip;
        }

        var other = head.StartsWith((ReadOnlySpan<byte>)[0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]) ? "xz"
            : head.StartsWith("BZh"u8) ? "bzip2"
            : null;
        if (other is not null)
        {
            throw new ImageStoreException(
                ErrorKind.Unsupported,
                $"A layer is compressed with {other}; OCI layers are gzip, zstd or plain tar.",
                "Have the image built again with gzip or zstd.");
        }

        var zstd = head.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd])
            || (head.Length >= 4 && (head[0] & 0xf0) == 0x50 && head[1..4].SequenceEqual((ReadOnlySpan<byte>)[0x2a, 0x4d, 0x18]));
        return zstd ? LayerCompression.Zstd : LayerCompression.None;
    }

    /// <summary>Opens <paramref name="compressed"/>, which is left open. Read with buffers above 64 bytes.</summary>
    public static Stream Open(Stream compressed, LayerCompression compression)
    {
        switch (compression)
        {
            case LayerCompression.Gzip:
                // GZipStream itself reads 8 KiB at a time, a system call each.
                return IsalLibrary.IsUsable
                    ? new IsalGzipStream(compressed) : new ManagedGzipStream(new BufferedStream(compressed, ReadBytes));
            case LayerCompression.Zstd:
                var stream = new DecompressionStream(compressed, leaveOpen: true);
                stream.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, WindowLogMax);
                return stream;
            default:
                return new BufferedStream(compressed, ReadBytes);
        }
    }
}
