using System.CommandLine;
using ImageStore.Cli.Completion;
using ImageStore.Cli.Output;
using ImageStore.Gc;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;
using ImageStore.Store.Resources;

namespace ImageStore.Cli.Commands;

/// <summary><c>why</c>.</summary>
internal static class WhyCommand
{
    public static Command Build()
    {
        var what = new Argument<string>("DIGEST|SNAPSHOT")
        {
            Description = "A blob by its digest, or a snapshot as SNAPSHOTTER/NAME", CompletionSources = { DynamicValues.Digests },
        };
        var command = new Verb(
            "why",
            "Show what keeps a blob or snapshot: the chain of references from an image, lease, label or mount.",
            "imagestore why sha256:…",
            "imagestore why overlayfs/sha256:…")
        {
            what,
        };
        Session.Bind(command, MetadataAccess.ReadOnly, async (session, engine, token) =>
        {
            var (kind, key) = Parse(session.Value(what));
            var found = await engine.ExplainAsync(kind, key, token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(found, Json.Default.Explanation);
                return;
            }

            Write(found);
        });
        return command;
    }

    private static (ResourceKind Kind, string Key) Parse(string what) =>
        Digest.TryParse(what, out var digest) ? (ResourceKind.Content, digest.ToString())
        : what.Contains('/', StringComparison.Ordinal) ? (ResourceKind.Snapshot, what)
        : throw new ImageStoreException(
            ErrorKind.InvalidArgument,
            $"'{Printable.Of(what)}' is neither a digest nor a snapshot.",
            "Write sha256:…, or SNAPSHOTTER/NAME such as overlayfs/sha256:….");

    private static void Write(Explanation found)
    {
        if (found.Chain.Count == 0)
        {
            Console.Out.WriteLine("Nothing keeps it: the next 'imagestore gc' removes it.");
            return;
        }

        for (var i = 0; i < found.Chain.Count; i++)
        {
            var why = i > 0 ? string.Empty : found.Reason switch
            {
                RootReason.Label => "  (label containerd.io/gc.root)",
                RootReason.InUse => "  (in use: it is not committed)",
                _ => string.Empty,
            };
            Console.Out.WriteLine($"{new string(' ', 2 * i)}{Printable.Of(found.Chain[i].ToString())}{why}");
        }
    }
}
