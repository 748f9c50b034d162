using ImageStore.Snapshotters.Layers;

namespace ImageStore.Fuzz;

/// <summary>What reads layers.</summary>
internal static class LayerTargets
{
    private const string Memory = "/dev/shm";

    private static readonly LayerFormat s_format = new("trusted.overlay.opaque");

    // So that one input takes no more than a moment.
    private static readonly LayerLimits s_limits = new()
    {
        MaxEntries = 500, MaxUnpackedBytes = 4 << 20, MaxHeaderBytes = 64 << 10, MaxSparseSegments = 1000, MaxDepth = 40, ExpansionFloorBytes = 1 << 20,
    };

    /// <summary>Decompresses and applies a layer, settles it on itself, and merges it into a tree; as no root, it gets as far as it may.</summary>
    public static void Apply(byte[] bytes)
    {
        var work = Directory.CreateDirectory(Path.Combine(Directory.Exists(Memory) ? Memory : Path.GetTempPath(), $"imagestore-fuzz-{Guid.NewGuid():N}")).FullName;
        try
        {
            var (layer, lower, tree) = (Make(work, "layer"), Make(work, "lower"), Make(work, "tree"));
            FuzzTargets.Refused(() => Apply(bytes, lower, [], tree));
            FuzzTargets.Refused(() => Apply(bytes, layer, [lower], tree));
            if (Directory.GetFileSystemEntries(work).Length != 3)
            {
                throw new InvalidOperationException("The layer has left its directory.");
            }
        }
        finally
        {
            TreeRemover.RemoveTree(work);
        }
    }

    /// <summary>Reads a tar's headers, and skips what they say that follows.</summary>
    public static void Read(byte[] bytes) => FuzzTargets.Refused(() =>
    {
        using var input = new InflateRing(new MemoryStream(bytes), LayerCompression.None, s_limits.MaxUnpackedBytes, null, CancellationToken.None);
        var reader = new TarReader(input, s_limits);
        for (var entries = 0; entries < s_limits.MaxEntries && reader.Next() is { } entry; entries++)
        {
            input.Skip(entry.Size);
            input.SkipPadding(-entry.Size & 511);
        }
    });

    private static void Apply(byte[] bytes, string directory, IReadOnlyList<string> lowers, string tree)
    {
        var compression = LayerDecompressor.Detect(bytes);
        var applied = LayerApplier.Apply(new MemoryStream(bytes), compression, directory, s_format, s_limits, null, CancellationToken.None);
        LayerSettler.Settle(applied, directory, lowers, s_format, CancellationToken.None);
        if (lowers.Count > 0)
        {
            LayerMerger.MergeOnto(directory, tree, s_format, CancellationToken.None);
        }
    }

    private static string Make(string work, string name) => Directory.CreateDirectory(Path.Combine(work, name)).FullName;
}
