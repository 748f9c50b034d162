using System.Text.Json.Serialization;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>What came of an image.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MirrorStatus>))]
public enum MirrorStatus
{
    /// <summary>It was copied, or with a dry run would be.</summary>
    Copied,

    /// <summary>All of it was there.</summary>
    UpToDate,

    /// <summary>It could not be copied.</summary>
    Failed,

    /// <summary>It was removed from the target, or with a dry run would be.</summary>
    Pruned,

    /// <summary>It would have been removed, but something spoke against it.</summary>
    Kept,
}

/// <summary>What a run did, or would do.</summary>
/// <param name="DryRun">Was nothing done?</param>
/// <param name="Images">All images, in the order in which they were chosen, then the removed ones.</param>
/// <param name="BytesToMove">Bytes that were sent or written, or would be; each blob once.</param>
/// <param name="FreeBytes">Bytes free where an archive or layout is written; null for a registry, which does not tell.</param>
public sealed record MirrorReport(bool DryRun, IReadOnlyList<MirrorOutcome> Images, long BytesToMove, long? FreeBytes)
{
    /// <summary>How many images ended so.</summary>
    public int Count(MirrorStatus status) => Images.Count(image => image.Status == status);

    /// <summary>Does what is to be written fit?</summary>
    public bool Fits => FreeBytes is not { } free || BytesToMove <= free;
}

/// <summary>What came of one image.</summary>
/// <param name="Source">Its name at the source; empty for one that is only at the target.</param>
/// <param name="Target">Its name at the target; null where it was not chosen yet.</param>
/// <param name="Status">What came of it.</param>
public sealed record MirrorOutcome(string Source, string? Target, MirrorStatus Status)
{
    /// <summary>What the name stands for at the target.</summary>
    public Digest? Digest { get; init; }

    /// <summary>Blobs that were sent.</summary>
    public int Blobs { get; init; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>Why it failed or was kept.</summary>
    public string? Reason { get; init; }

    /// <summary>What can be done.</summary>
    public string? Remedy { get; init; }

    /// <summary>The kind of failure; null where it is none.</summary>
    public ErrorKind? Kind { get; init; }

    internal static MirrorOutcome Failed(string source, string? target, ImageStoreException failure) => new(source, target, MirrorStatus.Failed)
    {
        Reason = failure.Message, Remedy = failure.Remedy, Kind = failure.Kind,
    };
}
