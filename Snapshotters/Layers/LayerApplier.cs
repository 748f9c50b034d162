namespace ImageStore.Snapshotters.Layers;

/// <summary>Unpacks one layer into a directory in overlay form, without its parents.</summary>
public static class LayerApplier
{
    /// <summary>Reads <paramref name="compressed"/> to its end into the empty <paramref name="directory"/>.</summary>
    /// <remarks>Blocks; one thread of its own inflates. After a failure the caller removes the directory.</remarks>
    /// <exception cref="ImageStore.Store.Errors.ImageStoreException">The layer is malformed, too large, or the disk refuses it.</exception>
    public static AppliedLayer Apply(
        Stream compressed, LayerCompression compression, string directory, LayerFormat format, LayerLimits limits,
        Action<long>? onBytes, CancellationToken cancellationToken)
    {
        using var input = Inflate(compressed, compression, limits, onBytes, cancellationToken);
        using var paths = new RootedPath(directory, limits, format);
        var writer = new EntryWriter(input, paths, format, limits);
        var entries = Read(input, writer, limits, cancellationToken);
        var diffId = input.Finish();
        writer.Finish();
        return new AppliedLayer
        {
            Entries = entries,
            UnpackedBytes = writer.FileBytes,
            DiffId = diffId,
            // In this order a directory comes before what is in it.
            ImpliedDirectories = [.. paths.Implied.Concat(writer.HasRoot ? [] : [string.Empty]).Order(StringComparer.Ordinal)],
            Whiteouts = writer.Whiteouts,
            PendingLinks = [.. writer.Pending.Values],
        };
    }

    /// <summary>Begins to inflate a layer, which may become so large and so much larger as the limits say.</summary>
    internal static InflateRing Inflate(
        Stream compressed, LayerCompression compression, LayerLimits limits, Action<long>? onBytes, CancellationToken cancellationToken)
    {
        var counted = new CountedStream(compressed);
        return new InflateRing(counted, compression, limits.MaxUnpackedBytes, Unpacked, cancellationToken);

        void Unpacked(long bytes)
        {
            if (bytes > limits.ExpansionFloorBytes && bytes / limits.MaxExpansion > counted.BytesRead)
            {
                throw LayerFault.Limit("unpacked bytes for each byte of the layer", limits.MaxExpansion, LayerLimits.Keys.Expansion);
            }

            onBytes?.Invoke(bytes);
        }
    }

    /// <summary>Has <paramref name="writer"/> write all entries; how many there were.</summary>
    internal static long Read(InflateRing input, LayerWriter writer, LayerLimits limits, CancellationToken cancellationToken)
    {
        var reader = new TarReader(input, limits);
        long entries = 0;
        while (reader.Next() is { } entry)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (++entries > limits.MaxEntries)
            {
                throw LayerFault.Limit("entries", limits.MaxEntries, LayerLimits.Keys.Entries);
            }

            writer.Write(entry);
        }

        return entries;
    }
}
