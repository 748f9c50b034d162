using System.CommandLine;
using ImageStore.Cli.Completion;
using ImageStore.Cli.Output;
using ImageStore.Engine.Prepull;

namespace ImageStore.Cli.Commands;

/// <summary><c>jobs ls|show|cancel</c>.</summary>
internal static class JobsCommand
{
    public static Command Build() =>
        new("jobs", "List, show and cancel jobs of 'prepull', while they run and afterwards.") { List(), Show(), Cancel() };

    private static Verb List()
    {
        var command = new Verb(
            "ls",
            "List the jobs of the namespace, the oldest first.",
            "imagestore jobs ls",
            "imagestore -n k8s.io --format json jobs ls");
        Session.Bind(command, (session, _) =>
        {
            var jobs = Folder(session).List(failure => Console.Error.WriteLine($"imagestore: {failure.Message}"));
            if (session.Json)
            {
                Json.Write([.. jobs.Select(JobListing.Of)], Json.Default.IReadOnlyListJobListing);
                return Task.CompletedTask;
            }

            Table.Write(
                Console.Out,
                ["ID", "STATE", "IMAGES", "FAILED", "PULLED", "STARTED", "ENDED"],
                jobs.Select(job => (string[])[
                    job.Id,
                    JobLines.Word(job.State),
                    $"{job.Held}/{job.Images.Count}",
                    $"{job.Count(JobImageState.Failed)}",
                    Sizes.Of(job.Bytes),
                    Sizes.Of(job.StartedAt),
                    job.EndedAt is { } ended ? Sizes.Of(ended) : "-"]));
            return Task.CompletedTask;
        });
        return command;
    }

    private static Verb Show()
    {
        var id = Id();
        var command = new Verb("show", "Show a job, with what came of each image.", "imagestore jobs show base-3") { id };
        Session.Bind(command, (session, _) =>
        {
            var job = Folder(session).Find(session.Value(id));
            if (session.Json)
            {
                Json.Write(job, Json.Default.JobRecord);
            }
            else
            {
                JobLines.Write(Console.Out, job);
            }

            return Task.CompletedTask;
        });
        return command;
    }

    private static Verb Cancel()
    {
        var id = Id();
        var command = new Verb(
            "cancel",
            "End a job: at once when no process has it any more, else as soon as that one looks. What was pulled stays.",
            "imagestore jobs cancel base-3")
        {
            id,
        };
        Session.Bind(command, async (session, token) =>
        {
            var job = await Folder(session).CancelAsync(session.Value(id), token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(job, Json.Default.JobRecord);
                return;
            }

            Console.Out.WriteLine(job.HasEnded ? $"{job.Id} is {JobLines.Word(job.State)}" : $"{job.Id} is asked to end; process {job.ProcessId} has it");
        });
        return command;
    }

    private static Argument<string> Id() => new("ID") { Description = "The job", CompletionSources = { DynamicValues.Jobs } };

    private static JobFolder Folder(Session session)
    {
        var options = session.EngineOptions();
        return new JobFolder(options.Root, options.Namespace, options.Time);
    }
}
