using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Engine.Fsck;

namespace ImageStore.Cli.Commands;

/// <summary><c>fsck</c>.</summary>
internal static class FsckCommand
{
    public static Command Build()
    {
        var repair = new Option<bool>("--repair")
        {
            Description = "Put right what can be: damaged things go to the root's quarantine, and what registries still have is fetched again",
        };
        var noFetch = new Option<bool>("--no-fetch") { Description = "Repair without asking any registry" };
        var quick = new Option<bool>("--quick") { Description = "Do not read the blobs: only what is there, and how large it is" };
        var rate = new Option<string>("--rate") { Description = "The most bytes of blobs to read a second, such as 50M", HelpName = "RATE" };
        var resume = new Option<bool>("--resume") { Description = "Go on with the reading of blobs where it was stopped last" };
        var command = new Verb(
            "fsck",
            "Check the whole root: blobs against their digests, metadata against the disk in both directions, images, snapshots and their parents.",
            "imagestore fsck --quick",
            "imagestore fsck --rate 50M",
            "imagestore fsck --repair")
        {
            repair, noFetch, quick, rate, resume,
        };
        Session.Bind(command, async (session, token) =>
        {
            var options = new FsckOptions
            {
                Repair = session.Value(repair),
                Fetch = !session.Value(noFetch),
                Quick = session.Value(quick),
                BytesPerSecond = session.Value(rate) is { } text ? ByteRate.Parse(text) : null,
                Resume = session.Value(resume),
            };
            using var lines = FsckLines.For(session);
            var report = await new FsckRun(session.EngineOptions(), options, lines).RunAsync(token).ConfigureAwait(false);
            lines?.Clear();
            if (session.Json)
            {
                Json.Write(report, Json.Default.FsckReport);
            }
            else
            {
                FsckLines.Write(Console.Out, report, options.Quick);
            }

            FsckLines.RefuseDamage(report, options.Repair);
        });
        return command;
    }
}
