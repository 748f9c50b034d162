namespace ImageStore.Snapshotters.Layers;

/// <summary>Where a sparse file has data; all else are holes. The archive holds the data of the segments one after the other.</summary>
/// <param name="RealSize">The file's size in bytes, holes included.</param>
/// <param name="Segments">Ascending, apart from each other, inside the file.</param>
internal sealed record SparseMap(long RealSize, IReadOnlyList<(long Offset, long Length)> Segments)
{
    /// <summary>The map, when it makes sense for <paramref name="packedBytes"/> of data.</summary>
    public static SparseMap Checked(long realSize, List<(long Offset, long Length)> segments, long packedBytes, LayerLimits limits)
    {
        if (realSize < 0)
        {
            throw LayerFault.Corrupt("a sparse file's size is negative.");
        }

        if (realSize > limits.MaxUnpackedBytes)
        {
            throw LayerFault.Limit("the size of a sparse file", limits.MaxUnpackedBytes, LayerLimits.Keys.UnpackedBytes);
        }

        Count(segments.Count, limits);
        long start = 0, end = 0, data = 0;
        foreach (var (offset, length) in segments)
        {
            if (Fault(offset, length, start, end, realSize) is { } fault)
            {
                throw LayerFault.Corrupt($"a sparse file's map {fault}.");
            }

            (start, end, data) = (offset, offset + length, data + length);
        }

        return data == packedBytes
            ? new SparseMap(realSize, segments)
            : throw LayerFault.Corrupt("a sparse file's map does not fit its data.");
    }

    /// <summary>Refuses more segments than the limits allow, before they are read.</summary>
    public static void Count(long segments, LayerLimits limits)
    {
        if (segments > limits.MaxSparseSegments)
        {
            throw LayerFault.Limit("the segments of a sparse file", limits.MaxSparseSegments, LayerLimits.Keys.SparseSegments);
        }
    }

    private static string? Fault(long offset, long length, long start, long end, long realSize) =>
        offset < 0 || length < 0 ? "has a negative number"
        : offset > realSize || length > realSize - offset ? "goes beyond the file's size"
        : offset < start ? "is out of order"
        : offset < end ? "has segments that overlap"
        : null;
}
