using System.Globalization;
using ImageStore.Engine.Prepull;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Output;

/// <summary>Tells of a set's images one by one, and of all of them at the end.</summary>
internal sealed class PrepullLines(Session session)
{
    public PrepullHooks Hooks() => new()
    {
        Show = work => ProgressLines.WhileAsync(session, async progress =>
        {
            await work(progress).ConfigureAwait(false);
            return true;
        }),
        Tell = Tell,
        TellWait = opens => Note(string.Create(CultureInfo.InvariantCulture, $"outside the window; waiting until {opens:HH:mm}")),
        Warn = failure => Console.Error.WriteLine($"imagestore: the job goes on, but its record is not up to date: {failure.Message}"),
    };

    public void Summarize(JobRecord job)
    {
        if (session.Json)
        {
            Json.Write(job, Json.Default.JobRecord);
            return;
        }

        if (session.Quiet)
        {
            return;
        }

        foreach (var name in job.Unpinned)
        {
            Console.Out.WriteLine($"unpinned    {Printable.Of(name)}");
        }

        List<string> parts = [];
        foreach (var (state, word) in (ReadOnlySpan<(JobImageState, string)>)[
            (JobImageState.Done, "pulled"), (JobImageState.Skipped, "up to date"), (JobImageState.Failed, "failed"), (JobImageState.Pending, "waiting")])
        {
            if (job.Count(state) is > 0 and var count)
            {
                parts.Add($"{count} {word}");
            }
        }

        Console.Out.WriteLine(
            $"job {job.Id}: {job.Images.Count} {(job.Images.Count == 1 ? "image" : "images")}: {string.Join(", ", parts)}; {Sizes.Of(job.Bytes)} pulled");
    }

    private void Tell(JobImage image)
    {
        if (image.State == JobImageState.Failed)
        {
            Console.Error.WriteLine($"imagestore: {JobLines.ReasonOf(image)}");
            if (image.Remedy is not null)
            {
                Console.Error.WriteLine($"  {image.Remedy}");
            }
        }
        else if (session is { Json: false, Quiet: false })
        {
            Console.Out.WriteLine(image.State == JobImageState.Skipped
                ? $"up to date  {Printable.Of(image.Name)}"
                : $"pulled      {Printable.Of(image.Name)}  ({Sizes.Of(image.Bytes)})");

            // A job takes long, and who reads a pipe wants to see how far it is.
            Console.Out.Flush();
        }
    }

    private void Note(string text)
    {
        if (!session.Quiet)
        {
            Console.Error.WriteLine($"imagestore: {text}");
        }
    }
}
