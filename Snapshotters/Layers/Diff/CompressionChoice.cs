using System.Globalization;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>A compression and its level.</summary>
/// <param name="Kind">The format.</param>
/// <param name="Level">1 to 9 for gzip, 1 to 22 for zstd; 0 where nothing is compressed.</param>
public sealed record CompressionChoice(LayerCompression Kind, int Level)
{
    private const int GzipLevel = 6;
    private const int MaxGzipLevel = 9;
    private const int ZstdLevel = 3;
    private const int MaxZstdLevel = 22;

    /// <summary>gzip at its usual level, which every reader has.</summary>
    public static CompressionChoice Default { get; } = new(LayerCompression.Gzip, GzipLevel);

    /// <summary>zstd at its usual level.</summary>
    public static CompressionChoice Zstd { get; } = new(LayerCompression.Zstd, ZstdLevel);

    /// <summary>A plain tar.</summary>
    public static CompressionChoice None { get; } = new(LayerCompression.None, 0);

    /// <summary>The layer's media type (OCI image spec, media-types.md).</summary>
    public string MediaType => Kind switch
    {
        LayerCompression.Gzip => MediaTypes.OciLayerGzip,
        LayerCompression.Zstd => MediaTypes.OciLayerZstd,
        _ => MediaTypes.OciLayer,
    };

    /// <summary>Parses <c>gzip</c>, <c>zstd</c>, either with <c>:LEVEL</c>, or <c>none</c>.</summary>
    /// <exception cref="ImageStoreException">It is none of these (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static CompressionChoice Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var usual = (colon < 0 ? text : text[..colon]) switch
        {
            "gzip" => Default,
            "zstd" => Zstd,
            "none" when colon < 0 => None,
            _ => throw Wrong(text),
        };
        if (colon < 0)
        {
            return usual;
        }

        var max = usual.Kind == LayerCompression.Gzip ? MaxGzipLevel : MaxZstdLevel;
        return int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var level)
            && level >= 1 && level <= max
                ? usual with { Level = level }
                : throw Wrong(text);
    }

    /// <summary>The way in which <see cref="Parse"/> reads it.</summary>
    public override string ToString() =>
        Kind == LayerCompression.None ? "none" : string.Create(CultureInfo.InvariantCulture, $"{(Kind == LayerCompression.Gzip ? "gzip" : "zstd")}:{Level}");

    private static ImageStoreException Wrong(string text) => new(
        ErrorKind.InvalidArgument,
        $"'{Printable.Of(text)}' is no compression.",
        $"Write gzip, gzip:1 to gzip:{MaxGzipLevel}, zstd, zstd:1 to zstd:{MaxZstdLevel}, or none.");
}
