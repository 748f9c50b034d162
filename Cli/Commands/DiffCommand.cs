using System.CommandLine;
using ImageStore.Cli.Completion;
using ImageStore.Cli.Output;
using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>diff KEY|DIR|IMAGE [LOWER]</c>.</summary>
internal static class DiffCommand
{
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public static Command Build()
    {
        var what = new Argument<string>("KEY|DIR|IMAGE")
        {
            Description = "A snapshot, a directory where an image is mounted, or an image", CompletionSources = { DynamicValues.SnapshotsAndImages },
        };
        var lower = new Argument<string?>("LOWER")
        {
            Description = "What it is compared with; else what it stands on", Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => null,
        };
        var output = new Option<string>("--output", "-o") { Description = "Write a layer to this file, or - for standard output; .gz and .zst compress", HelpName = "FILE" };
        var compression = LayerOptions.Compression();
        var timestamp = LayerOptions.Timestamp();
        var snapshotter = SnapshotterOption.Make();
        var command = new Verb(
            "diff",
            "List what a snapshot changed: A added, C changed, D deleted; or write it as a layer.",
            "imagestore diff /mnt",
            "imagestore diff app:2 app:1",
            "imagestore diff -o changes.tar.zst /mnt",
            "imagestore diff -o - /mnt | tar -tv")
        {
            what, lower, output, compression, timestamp, snapshotter,
        };
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            var (snapshot, below, kind) = (session.Value(what), session.Optional(lower), session.Value(snapshotter));
            if (session.Value(output) is { } file)
            {
                var options = new DiffOptions
                {
                    Compression = session.Value(compression) is { } given ? CompressionChoice.Parse(given) : Suits(file),
                    LatestTime = LayerOptions.Time(session.Value(timestamp))?.ToUnixTimeSeconds(),
                };
                await WriteAsync(session, file, stream => engine.WriteChangesAsync(snapshot, below, kind, stream, options, token)).ConfigureAwait(false);
                return;
            }

            var changes = await engine.ListChangesAsync(snapshot, below, kind, token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(changes, Json.Default.IReadOnlyListPathChange);
                return;
            }

            foreach (var change in changes)
            {
                Console.Out.WriteLine($"{Letter(change.Kind)} {Printable.Of(change.Path)}");
            }
        });
        return command;
    }

    private static async Task WriteAsync(Session session, string file, Func<Stream, Task<LayerDiff>> write)
    {
        if (file == "-")
        {
            using var stream = new StandardOutput();
            await write(stream).ConfigureAwait(false);
            return;
        }

        using var pending = PendingFile.Create(file, FileMode);
        var written = await write(pending.Stream).ConfigureAwait(false);
        pending.Commit();
        if (session.Json)
        {
            Json.Write(written, Json.Default.LayerDiff);
        }
        else
        {
            Console.Out.WriteLine($"{written.DiffId}  {written.Entries} entries, {Sizes.Of(written.TarBytes)}");
        }
    }

    private static CompressionChoice Suits(string file) => Path.GetExtension(file) switch
    {
        ".gz" or ".tgz" => CompressionChoice.Default,
        ".zst" => CompressionChoice.Zstd,
        _ => CompressionChoice.None,
    };

    private static char Letter(ChangeKind kind) => kind switch
    {
        ChangeKind.Added => 'A',
        ChangeKind.Deleted => 'D',
        _ => 'C',
    };
}
