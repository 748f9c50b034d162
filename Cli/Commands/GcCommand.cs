using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Gc;
using ImageStore.Gc.Pressure;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>gc</c>.</summary>
internal static class GcCommand
{
    private const double Percent = 100;

    public static Command Build()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Tell what would go, and remove nothing" };
        var high = new Option<double?>("--high-water")
        {
            Description = "Only when more than this of the filesystem is used; then images go too, those first that were used longest ago", HelpName = "PERCENT",
        };
        var low = new Option<double?>("--low-water") { Description = "Until no more than this is used", HelpName = "PERCENT" };
        var sync = Removal.Sync();
        var command = new Verb(
            "gc",
            "Remove what no image, lease, label or mount keeps, in every namespace.",
            "imagestore gc --dry-run",
            "imagestore gc",
            "imagestore gc --high-water 85 --low-water 80")
        {
            dryRun, high, low, sync,
        };
        Session.Bind(command, (session, cancellation) =>
        {
            var marks = Marks(session.Value(high), session.Value(low));
            if (marks is not null && session.Value(dryRun))
            {
                throw new ImageStoreException(
                    ErrorKind.InvalidArgument, "--dry-run cannot tell what --high-water would remove.", "Leave out one of them; 'imagestore du --images' shows what images take.");
            }

            if (session.Value(dryRun))
            {
                return session.WithEngineAsync(
                    MetadataAccess.ReadOnly,
                    async (_, engine, token) => Tell(session, await engine.PlanCollectionAsync(token).ConfigureAwait(false)),
                    cancellation,
                    makeNamespace: false);
            }

            return marks is null
                ? session.RemovingAsync(
                    session.Value(sync), async (root, token) => Tell(session, await root.CollectAsync(token).ConfigureAwait(false)), cancellation)
                : RelieveAsync(session, marks, cancellation);
        });
        return command;
    }

    private static WaterMarks? Marks(double? high, double? low) => (high, low) switch
    {
        (null, null) => null,
        ({ } above, { } below) => WaterMarks.Of(above / Percent, below / Percent),
        _ => throw new ImageStoreException(
            ErrorKind.InvalidArgument, "--high-water and --low-water go together.", "Give both, such as --high-water 85 --low-water 80."),
    };

    private static void Tell(Session session, CollectionReport report)
    {
        if (session.Json)
        {
            Json.Write(report, Json.Default.CollectionReport);
            return;
        }

        if (!session.Quiet)
        {
            foreach (var resource in report.Removed)
            {
                Console.Out.WriteLine($"{resource.Namespace}  {Printable.Of(resource.ToString())}");
            }
        }

        CollectionLines.Write(Console.Out, report);
    }

    private static async Task RelieveAsync(Session session, WaterMarks marks, CancellationToken cancellationToken)
    {
        EvictionReport? report = null;
        await session.WithEngineAsync(
            MetadataAccess.ReadWrite,
            async (_, engine, token) => report = await engine.RelieveAsync(marks, token).ConfigureAwait(false),
            cancellationToken,
            makeNamespace: false).ConfigureAwait(false);

        // What is held against marks has to be gone before the disk is looked at again.
        Removal.GoOn(session, session.Root, Removal.Budget(sync: true), cancellationToken);
        if (session.Json)
        {
            Json.Write(report!, Json.Default.EvictionReport);
            return;
        }

        CollectionLines.Write(Console.Out, report!);
    }
}
