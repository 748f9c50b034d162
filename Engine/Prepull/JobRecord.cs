using System.Text.Json.Serialization;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Prepull;

/// <summary>A run of a set, and how far it is: what the root remembers of it.</summary>
public sealed record JobRecord
{
    /// <summary>The set's name and a number, unique within the namespace.</summary>
    public required string Id { get; init; }

    /// <summary>The namespace.</summary>
    public required string Namespace { get; init; }

    /// <summary>The set's name.</summary>
    public required string Set { get; init; }

    /// <summary>What the set's file was.</summary>
    public required Digest SetDigest { get; init; }

    /// <summary>Where it is.</summary>
    public required JobState State { get; init; }

    /// <summary>Why it is so, where that is not plain.</summary>
    public string? Reason { get; init; }

    /// <summary>Who works on it, or did last.</summary>
    public required int ProcessId { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When its last run ended; null before.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Its images, in the order of the set.</summary>
    public required IReadOnlyList<JobImage> Images { get; init; }

    /// <summary>The images that had left the set and were let go of.</summary>
    public IReadOnlyList<string> Unpinned { get; init; } = [];

    /// <summary>Is there nothing more to come of it, unless somebody runs the set again?</summary>
    [JsonIgnore]
    public bool HasEnded => State is JobState.Done or JobState.Failed or JobState.Cancelled;

    /// <summary>Bytes that came over the network for it.</summary>
    [JsonIgnore]
    public long Bytes => Images.Sum(image => image.Bytes);

    /// <summary>How many images are there.</summary>
    [JsonIgnore]
    public int Held => Images.Count(image => image.State is JobImageState.Done or JobImageState.Skipped);

    /// <summary>How many images are in that state.</summary>
    public int Count(JobImageState state) => Images.Count(image => image.State == state);
}

/// <summary>An image of a job.</summary>
public sealed record JobImage
{
    /// <summary>Its full name.</summary>
    public required string Name { get; init; }

    /// <summary>Those of a higher one go first.</summary>
    public int Priority { get; init; }

    /// <summary>Where it is.</summary>
    public JobImageState State { get; init; }

    /// <summary>What the name stands for; null until that is known.</summary>
    public Digest? Digest { get; init; }

    /// <summary>How often it was tried, in jobs before this one too as long as it failed in them.</summary>
    public int Attempts { get; init; }

    /// <summary>Bytes of it that came over the network.</summary>
    public long Bytes { get; init; }

    /// <summary>When the last attempt began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Why the last attempt failed.</summary>
    public string? Reason { get; init; }

    /// <summary>What can be done about it.</summary>
    public string? Remedy { get; init; }

    /// <summary>The kind of that failure.</summary>
    [JsonConverter(typeof(JsonStringEnumConverter<ErrorKind>))]
    public ErrorKind? Kind { get; init; }
}
