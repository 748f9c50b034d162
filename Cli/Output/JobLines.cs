using System.Globalization;
using ImageStore.Engine.Prepull;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Output;

/// <summary>A job for people.</summary>
internal static class JobLines
{
    private const int ShortDigest = 12;

    public static string Word(JobState state) => state.ToString().ToLowerInvariant();

    /// <summary>Why an image failed, with its name.</summary>
    public static string ReasonOf(JobImage image) => image.Reason!.Contains(image.Name, StringComparison.Ordinal)
        ? image.Reason
        : $"{Printable.Of(image.Name)}: {image.Reason}";

    public static void Write(TextWriter output, JobRecord job)
    {
        output.WriteLine($"job       {job.Id}: {Word(job.State)}{(job.Reason is { } why ? $", {Printable.Of(why)}" : string.Empty)}");
        output.WriteLine($"set       {job.Set} in {job.Namespace}, {job.SetDigest}");
        output.WriteLine($"images    {job.Held} of {job.Images.Count} are there, {Sizes.Of(job.Bytes)} pulled");
        output.WriteLine($"started   {Sizes.Of(job.StartedAt)}");
        if (job.EndedAt is { } ended)
        {
            output.WriteLine($"ended     {Sizes.Of(ended)}");
        }
        else
        {
            output.WriteLine($"process   {job.ProcessId}");
        }

        foreach (var name in job.Unpinned)
        {
            output.WriteLine($"unpinned  {Printable.Of(name)}");
        }

        output.WriteLine();
        Table.Write(
            output,
            ["NAME", "STATE", "DIGEST", "PULLED", "ATTEMPTS"],
            job.Images.Select(image => (string[])[
                Printable.Of(image.Name),
                image.State == JobImageState.Skipped ? "up to date" : image.State.ToString().ToLowerInvariant(),
                image.Digest is { } digest ? digest.Hex[..ShortDigest] : "-",
                Sizes.Of(image.Bytes),
                image.Attempts.ToString(CultureInfo.InvariantCulture)]));
        foreach (var image in job.Images.Where(image => image.Reason is not null))
        {
            output.WriteLine();
            output.WriteLine(ReasonOf(image));
            if (image.Remedy is { } remedy)
            {
                output.WriteLine($"  {remedy}");
            }
        }
    }
}
