using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Engine.Maintenance;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Commands;

/// <summary><c>maintain</c>.</summary>
internal static class MaintainCommand
{
    public static Command Build()
    {
        var watch = new Option<bool>("--watch")
        {
            Description = "Go on until stopped: collect when leases end, after changes, by the clock, and when the disk gets full",
        };
        var noScrub = new Option<bool>("--no-scrub") { Description = "Do not read any blobs" };
        var command = new Verb(
            "maintain",
            "Do what a root needs from time to time: collect, make room, back the metadata up, read some of the blobs again. The configuration says how.",
            "imagestore maintain",
            "imagestore maintain --watch")
        {
            watch, noScrub,
        };
        Session.Bind(command, (session, token) =>
            session.Value(watch) ? WatchAsync(session, !session.Value(noScrub), token) : OnceAsync(session, !session.Value(noScrub), token));
        return command;
    }

    private static async Task OnceAsync(Session session, bool scrub, CancellationToken cancellationToken)
    {
        using var lines = FsckLines.For(session);
        var report = await new MaintenanceRun(session.EngineOptions(), scrub, lines).RunAsync(cancellationToken).ConfigureAwait(false);
        lines?.Clear();
        Tell(session, report);
        if (report.Scrub is { } found)
        {
            FsckLines.RefuseDamage(found, repaired: false);
        }

        if (report.BackupFailure is { } failure)
        {
            throw new ImageStoreException(ErrorKind.FailedPrecondition, failure, "All else was done. Make room for a backup of the metadata.");
        }
    }

    private static Task WatchAsync(Session session, bool scrub, CancellationToken cancellationToken) => new MaintenanceWatch(
        session.EngineOptions(),
        scrub,
        report =>
        {
            Tell(session, report);
            Console.Out.Flush();
        },
        failure => Failures.Tell(failure, session.Value(GlobalOptions.Debug))).RunAsync(cancellationToken);

    private static void Tell(Session session, MaintenanceReport report)
    {
        if (session.Json)
        {
            Json.Write(report, Json.Default.MaintenanceReport);
            return;
        }

        if (report.Collection is { } collection)
        {
            CollectionLines.Write(Console.Out, collection);
        }

        if (report.Eviction is { } eviction)
        {
            CollectionLines.Write(Console.Out, eviction);
        }

        if (report.Backup is { } backup)
        {
            Console.Out.WriteLine($"backed the metadata up in {Path.GetFileName(backup)}");
        }

        if (report.BackupFailure is { } refused)
        {
            Console.Out.WriteLine($"not backed up: {Printable.Of(refused)}");
        }

        if (report.Scrub is { } scrub)
        {
            FsckLines.Write(Console.Out, scrub, quick: false);
        }
    }
}
