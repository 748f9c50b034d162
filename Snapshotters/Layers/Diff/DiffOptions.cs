namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>How a difference becomes a layer.</summary>
public sealed record DiffOptions
{
    /// <summary>More compress no faster than one thread reads and hashes, and each takes some megabytes.</summary>
    public const int MaxWorkers = 32;

    /// <summary>How the layer is compressed.</summary>
    public CompressionChoice Compression { get; init; } = CompressionChoice.Default;

    /// <summary>Later modification times become this one, in seconds since 1970, as SOURCE_DATE_EPOCH asks for; null leaves them.</summary>
    public long? LatestTime { get; init; }

    /// <summary>What a layer may cost: what would be refused when it is unpacked is not made.</summary>
    public LayerLimits Limits { get; init; } = new();

    /// <summary>Threads that compress. The bytes are the same whatever it is.</summary>
    public int Workers { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, MaxWorkers);
}
