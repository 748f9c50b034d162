using System.Text.Json.Serialization;

namespace ImageStore.Engine.Prepull;

/// <summary>Where a job is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<JobState>))]
public enum JobState
{
    /// <summary>A process works on it.</summary>
    Running,

    /// <summary>What is left of it is outside its window: a process waits for that, or the next run will go on.</summary>
    Waiting,

    /// <summary>Its process ended before it did; the next run of the set goes on with it.</summary>
    Interrupted,

    /// <summary>All images are there.</summary>
    Done,

    /// <summary>All images were tried, and some could not be had; the next run of the set begins anew, and tries them again.</summary>
    Failed,

    /// <summary>It was ended by somebody; the next run of the set begins anew.</summary>
    Cancelled,
}

/// <summary>Where an image of a job is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<JobImageState>))]
public enum JobImageState
{
    /// <summary>Its turn has not come.</summary>
    Pending,

    /// <summary>It is being pulled.</summary>
    Pulling,

    /// <summary>It was pulled.</summary>
    Done,

    /// <summary>It was there already; nothing was pulled.</summary>
    Skipped,

    /// <summary>It could not be had.</summary>
    Failed,
}
