namespace ImageStore.Store.Content;

/// <summary>An ingest: bytes on their way to become a blob.</summary>
/// <param name="Ref">The writer's name for it, unique in its namespace.</param>
/// <param name="Offset">The bytes that have arrived.</param>
/// <param name="Total">The bytes that are expected, or 0 when unknown.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="UpdatedAt">When bytes arrived last.</param>
public sealed record IngestStatus(
    string Ref, long Offset, long Total, DateTimeOffset StartedAt, DateTimeOffset UpdatedAt);
