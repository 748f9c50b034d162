using ImageStore.Engine.Prepull;

namespace ImageStore.Cli.Output;

/// <summary>A job as a list shows it, without its images.</summary>
internal sealed record JobListing(
    string Id, string Set, JobState State, int Images, int Held, int Failed, long Bytes, DateTimeOffset StartedAt, DateTimeOffset? EndedAt)
{
    public static JobListing Of(JobRecord job) => new(
        job.Id, job.Set, job.State, job.Images.Count, job.Held, job.Count(JobImageState.Failed), job.Bytes, job.StartedAt, job.EndedAt);
}
