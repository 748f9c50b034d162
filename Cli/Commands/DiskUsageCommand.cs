using System.CommandLine;
using System.Globalization;
using ImageStore.Cli.Output;
using ImageStore.Engine;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>du</c>.</summary>
internal static class DiskUsageCommand
{
    public static Command Build()
    {
        var images = new Option<bool>("--images") { Description = "The images of the namespace" };
        var snapshots = new Option<bool>("--snapshots") { Description = "The snapshots of the namespace" };
        var command = new Verb(
            "du",
            "Show what the root takes on its disk, and for whom: what is a namespace's, an image's or a snapshot's alone, and what it shares.",
            "imagestore du",
            "imagestore -n team-a du --images")
        {
            images, snapshots,
        };
        Session.BindToExisting(command, MetadataAccess.ReadOnly, async (session, engine, token) =>
        {
            if (session.Value(images) && session.Value(snapshots))
            {
                throw new ImageStoreException(ErrorKind.InvalidArgument, "--images and --snapshots are two questions.", "Ask one at a time.");
            }

            await (session.Value(images) ? ImagesAsync(session, engine, token)
                : session.Value(snapshots) ? SnapshotsAsync(session, engine, token)
                : AllAsync(session, engine, token)).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task AllAsync(Session session, StoreEngine engine, CancellationToken cancellationToken)
    {
        var usage = await engine.DiskUsageAsync(cancellationToken).ConfigureAwait(false);
        if (session.Json)
        {
            Json.Write(usage, Json.Default.DiskUsage);
            return;
        }

        Table.Write(
            Console.Out,
            ["NAMESPACE", "IMAGES", "UNIQUE", "SHARED", "SNAPSHOTS", "DOWNLOADS", "QUOTA"],
            usage.Namespaces.Select(ns => (string[])[
                ns.Name,
                ns.Images.ToString(CultureInfo.InvariantCulture),
                Sizes.Of(ns.UniqueBytes),
                Sizes.Of(ns.SharedBytes),
                Sizes.Of(ns.SnapshotBytes),
                Sizes.Of(ns.IngestBytes),
                ns.Quota is { } quota ? $"{Sizes.Of(ns.QuotaBytes)} of {Sizes.Of(quota)}" : "-"]));
        Console.Out.WriteLine();
        (string What, long Bytes)[] parts =
        [
            ("of one namespace", usage.Namespaces.Sum(ns => ns.UniqueBytes + ns.SnapshotBytes + ns.IngestBytes)),
            ("shared", usage.SharedBytes),
            ("of nobody", usage.UnclaimedBytes),
            ("metadata", usage.MetadataBytes),
            ("quarantine", usage.QuarantineBytes),
            ("folders", usage.OtherBytes),
            ("total", usage.TotalBytes),
        ];
        foreach (var (what, bytes) in parts)
        {
            Console.Out.WriteLine($"{what,-17} {Sizes.Of(bytes),11}");
        }
    }

    private static async Task ImagesAsync(Session session, StoreEngine engine, CancellationToken cancellationToken)
    {
        var images = await engine.ImageUsageAsync(cancellationToken).ConfigureAwait(false);
        if (session.Json)
        {
            Json.Write(images, Json.Default.IReadOnlyListImageUsage);
            return;
        }

        Table.Write(
            Console.Out,
            ["IMAGE", "UNIQUE", "SHARED", "UNPACKED UNIQUE", "UNPACKED SHARED"],
            images.Select(image => (string[])[
                Printable.Of(image.Name),
                Sizes.Of(image.UniqueBytes),
                Sizes.Of(image.SharedBytes),
                Sizes.Of(image.UniqueSnapshotBytes),
                Sizes.Of(image.SharedSnapshotBytes)]));
    }

    private static async Task SnapshotsAsync(Session session, StoreEngine engine, CancellationToken cancellationToken)
    {
        var snapshots = await engine.SnapshotUsageAsync(cancellationToken).ConfigureAwait(false);
        if (session.Json)
        {
            Json.Write(snapshots, Json.Default.IReadOnlyListSnapshotUsageLine);
            return;
        }

        Table.Write(
            Console.Out,
            ["SNAPSHOT", "OWN", "PARENTS"],
            snapshots.Select(one => (string[])[Printable.Of(one.Name), Sizes.Of(one.UniqueBytes), Sizes.Of(one.SharedBytes)]));
    }
}
