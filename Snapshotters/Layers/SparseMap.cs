namespace ImageStore.Snapshotters.Layers;

/// <summary>Where a sparse file has data; all else are holes. The archive holds the data of the segments one after the other.</summary>
/// <param name="RealSize">The file's size in bytes, holes included.</param>
/// <param name="Segments">Ascending, apart from each other, inside the file.</param>
internal sealed record SparseMap(long RealSize, IReadOnlyList<(long Offset, long Length)> Segments)
{
    /// <summary>The map, when it makes sense for <paramref name="packedBytes"/> of data.</summary>
    public static SparseMap Checked(long realSize, List<(long Offset, long Length)> segments, long packedBytes, LayerLimits limits)
    {
        if (realSize > limits.MaxUnpackedBytes)
        {
            throw LayerFault.Limit("the size of a sparse file");
        }

        long end = 0, data = 0;
        foreach (var (offset, length) in segments)
        {
            if (offset < end || length < 0 || offset > realSize || length > realSize - offset)
            {
                throw LayerFault.Corrupt("a sparse file's map is out of order or beyond its size.");
            }

            (end, data) = (offset + length, data + length);
        }

        return realSize >= 0 && data == packedBytes
            ? new SparseMap(realSize, segments)
            : throw LayerFault.Corrupt("a sparse file's map does not fit its data.");
    }
}
