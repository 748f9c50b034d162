using System.CommandLine;
using ImageStore.Cli.Completion;
using ImageStore.Cli.Output;
using ImageStore.Store.Content;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Commands;

/// <summary><c>content ls|get|rm</c>.</summary>
internal static class ContentCommand
{
    public static Command Build() => new("content", "List, read and remove blobs.") { List(), Get(), Remove() };

    private static Verb List()
    {
        var command = new Verb(
            "ls",
            "List the blobs of the namespace.",
            "imagestore content ls");
        Session.Bind(command, MetadataAccess.ReadOnly, (session, engine, _) =>
        {
            var blobs = engine.Content.List();
            if (session.Json)
            {
                Json.Write(blobs, Json.Default.IReadOnlyListContentInfo);
                return Task.CompletedTask;
            }

            Table.Write(
                Console.Out,
                ["DIGEST", "SIZE", "CREATED", "LABELS"],
                blobs.Select(blob => (string[])[
                    blob.Digest.ToString(),
                    Sizes.Of(blob.Size),
                    Sizes.Of(blob.CreatedAt),
                    string.Join(',', blob.Labels.Where(label => !label.Key.Contains("/gc.ref.", StringComparison.Ordinal))
                        .Select(label => $"{label.Key}={label.Value}"))]));
            return Task.CompletedTask;
        });
        return command;
    }

    private static Verb Get()
    {
        var digest = new Argument<string>("DIGEST") { Description = "Such as sha256:…", CompletionSources = { DynamicValues.Digests } };
        var command = new Verb(
            "get",
            "Write a blob to standard output. The bytes are hashed on the way: a damaged blob ends with exit code 11.",
            "imagestore content get sha256:… > layer.tar.gz")
        {
            digest,
        };
        Session.Bind(command, MetadataAccess.ReadOnly, async (session, engine, token) =>
        {
            var wanted = Digest.Parse(session.Value(digest));
            var source = engine.Content.OpenRead(wanted);
            await using var opened = source.ConfigureAwait(false);
            using var output = new StandardOutput();
            var blob = new Descriptor { MediaType = MediaTypes.OctetStream, Digest = wanted, Size = source.Length };
            await VerifyingCopy.RunAsync(
                source, output, blob, "It is damaged on disk: remove it with 'imagestore content rm', and pull the image again.", null, token)
                .ConfigureAwait(false);
        });
        return command;
    }

    private static Verb Remove()
    {
        var digests = new Argument<string[]>("DIGEST")
        {
            Description = "The blobs", Arity = ArgumentArity.OneOrMore, CompletionSources = { DynamicValues.Digests },
        };
        var command = new Verb(
            "rm",
            "Remove blobs from the namespace, and from the disk when no other namespace has them.",
            "imagestore content rm sha256:…")
        {
            digests,
        };
        Session.BindToChanges(command, async (session, root, token) =>
        {
            var wanted = session.Value(digests).Select(Digest.Parse).Distinct().ToList();
            await Results.EachAsync(
                session, wanted, digest => digest.ToString(), digest => root.RemoveBlobAsync(digest, token))
                .ConfigureAwait(false);
        });
        return command;
    }
}
