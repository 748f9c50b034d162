using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Engine.Prepull;
using ImageStore.Engine.Unpack;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Commands;

/// <summary><c>prepull -f prepull.yaml</c>.</summary>
internal static class PrepullCommand
{
    public static Command Build()
    {
        var file = new Option<string>("--file", "-f") { Description = "The images that are to be there, in YAML", HelpName = "FILE", Required = true };
        var noWait = new Option<bool>("--no-wait") { Description = "Leave images whose window is closed to the next run, instead of waiting for it" };
        var command = new Verb(
            "prepull",
            "Have a set of images there before they are needed, as a job that goes on where it was when the same is run again.",
            "imagestore prepull -f prepull.yaml",
            "imagestore -n k8s.io prepull -f prepull.yaml --no-wait",
            "imagestore -n k8s.io jobs ls")
        {
            file, noWait,
        };
        Session.Bind(command, async (session, token) =>
        {
            var set = PrepullSetFile.Read(session.Value(file)!);
            var lines = new PrepullLines(session);
            var job = await new PrepullRun(session.EngineOptions(), set, lines.Hooks()).RunAsync(!session.Value(noWait), token).ConfigureAwait(false);
            lines.Summarize(job);
            if (job.Count(JobImageState.Done) > 0 && !Privileges.CanUnpack)
            {
                Console.Error.WriteLine("imagestore: stored, not unpacked: only root may give files the owners that layers name");
            }

            if (Refusal(job) is { } refusal)
            {
                throw refusal;
            }
        });
        return command;
    }

    /// <summary>The error of a job after which not every image is there; else null.</summary>
    private static ImageStoreException? Refusal(JobRecord job)
    {
        var (all, failed) = (job.Images.Count, job.Count(JobImageState.Failed));
        var (waiting, missing) = (job.Count(JobImageState.Pending), all - job.Held);
        return job.State switch
        {
            JobState.Done => null,
            JobState.Cancelled => new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"The job {job.Id} was cancelled; {missing} of {all} images are not there.",
                "What was pulled stays. The same command begins a new job."),
            _ when failed > 0 => new ImageStoreException(
                job.Images.First(image => image.State == JobImageState.Failed).Kind ?? ErrorKind.Unavailable,
                $"{failed} of {all} images of the set {job.Set} failed{(waiting > 0 ? $", {waiting} wait for their window" : string.Empty)}"
                    + (job.Held > 0 ? "; the rest is there." : "."),
                "Each one's reason is above; a repeat does only what is missing."),
            _ => new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"{waiting} of {all} images of the set {job.Set} wait for their window.",
                "Run it again while that is open, or without --no-wait."),
        };
    }
}
