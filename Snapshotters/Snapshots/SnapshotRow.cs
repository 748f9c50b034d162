using System.Text.Json.Serialization;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>A snapshot as the metadata keeps it.</summary>
internal sealed record SnapshotRow
{
    public required SnapshotKind Kind { get; init; }

    public required long Id { get; init; }

    public string? Parent { get; init; }

    public required Dictionary<string, string> Labels { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The machine's boot in which it was prepared or committed.</summary>
    public required string BootId { get; init; }

    /// <summary>Whether its files are known to have reached the disk.</summary>
    public bool Synced { get; init; }

    /// <summary>Bytes of the files that its layer brought, known before anybody measures what they occupy.</summary>
    public long? LayerBytes { get; init; }

    /// <summary>May what was written to it be lost when the machine goes down?</summary>
    public bool? IsVolatile { get; init; }

    /// <summary>The digest of its image, where it has one and the configuration asks for it.</summary>
    public string? ImageDigest { get; init; }

    public long? Inodes { get; init; }

    public long? Bytes { get; init; }

    public SnapshotInfo ToInfo(string name) => new()
    {
        Kind = Kind,
        Name = name,
        Parent = Parent,
        Labels = Labels,
        CreatedAt = CreatedAt,
        UpdatedAt = UpdatedAt,
    };
}

/// <summary>The next number that no snapshot of a kind has had.</summary>
internal sealed record SnapshotCounterRow(long Next);

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SnapshotRow))]
[JsonSerializable(typeof(SnapshotCounterRow))]
internal sealed partial class SnapshotJson : JsonSerializerContext;
