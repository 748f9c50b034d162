using System.CommandLine;
using ImageStore.Cli.Completion;
using ImageStore.Cli.Output;
using ImageStore.Engine.Commit;
using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>commit KEY|DIR NEW-IMAGE</c>.</summary>
internal static class CommitCommand
{
    public static Command Build()
    {
        var what = new Argument<string>("KEY|DIR")
        {
            Description = "A snapshot, or a directory where an image is mounted with --rw", CompletionSources = { DynamicValues.Snapshots },
        };
        var name = new Argument<string>("NEW-IMAGE") { Description = "The name that the image gets" };
        var from = new Option<string>("--base") { Description = "The image that the snapshot stands on; else it is found", HelpName = "IMAGE", CompletionSources = { DynamicValues.Images } };
        var changes = new Option<string[]>("--change", "-c")
        {
            Description = "A setting as in a Dockerfile: ENV, CMD, ENTRYPOINT, WORKDIR, USER, LABEL, EXPOSE, VOLUME, STOPSIGNAL", HelpName = "CHANGE",
        };
        var author = new Option<string>("--author") { Description = "Who made it", HelpName = "NAME" };
        var message = new Option<string>("--message", "-m") { Description = "What for; goes into the history", HelpName = "TEXT" };
        var compression = LayerOptions.Compression();
        var timestamp = LayerOptions.Timestamp();
        var snapshotter = SnapshotterOption.Make();
        var command = new Verb(
            "commit",
            "Make an image of what a snapshot changed.",
            "imagestore mount --rw alpine /mnt; touch /mnt/new; imagestore commit /mnt app:1; imagestore unmount /mnt",
            "imagestore commit --change 'CMD [\"/app\"]' --change 'ENV MODE=fast' /mnt registry.example.com/app:2",
            "imagestore commit --compression zstd:19 --timestamp 0 /mnt app:3")
        {
            what, name, from, changes, author, message, compression, timestamp, snapshotter,
        };
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            var made = await engine.CommitAsync(
                new CommitRequest
                {
                    Snapshot = session.Value(what),
                    Name = session.Value(name),
                    Base = session.Value(from),
                    Changes = session.Value(changes) ?? [],
                    Author = session.Value(author),
                    Message = session.Value(message),
                    Compression = CompressionChoice.Parse(session.Value(compression) ?? "gzip"),
                    Timestamp = LayerOptions.Time(session.Value(timestamp)),
                    Snapshotter = session.Value(snapshotter),
                },
                token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(made, Json.Default.CommitResult);
                return;
            }

            Console.Out.WriteLine($"{Printable.Of(made.Name)}  {made.Target.Digest}");
        });
        return command;
    }
}
