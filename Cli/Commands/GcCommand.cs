using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>gc</c>.</summary>
internal static class GcCommand
{
    public static Command Build()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Tell what would go, and remove nothing" };
        var command = new Verb(
            "gc",
            "Remove what no image, lease, label or mount keeps, in every namespace.",
            "imagestore gc --dry-run",
            "imagestore gc")
        {
            dryRun,
        };
        Session.Bind(command, (session, cancellation) => session.WithEngineAsync(
            session.Value(dryRun) ? MetadataAccess.ReadOnly : MetadataAccess.ReadWrite,
            async (_, engine, token) =>
            {
                var report = session.Value(dryRun)
                    ? await engine.PlanCollectionAsync(token).ConfigureAwait(false)
                    : await engine.CollectAsync(token).ConfigureAwait(false);
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
            },
            cancellation));
        return command;
    }
}
