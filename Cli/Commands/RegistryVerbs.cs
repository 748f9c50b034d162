using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Commands;

/// <summary>Questions to a registry, which need no store: <c>tags</c>, <c>digest</c>, <c>manifest</c>, <c>referrers</c>, and <c>delete</c>.</summary>
internal static class RegistryVerbs
{
    public static IEnumerable<Command> Build() => [Tags(), Digest(), Manifest(), Referrers(), Delete()];

    private static Verb Tags()
    {
        var repository = new Argument<string>("REPOSITORY") { Description = "Such as alpine or registry.example.com/app" };
        var command = new Verb("tags", "List the tags of a repository.", "imagestore tags alpine", "imagestore --format json tags 127.0.0.1:5000/app")
        {
            repository,
        };
        Bind(command, repository, async (session, client, _, token) =>
        {
            var tags = await client.ListTagsAsync(token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(tags, Json.Default.IReadOnlyListString);
                return;
            }

            foreach (var tag in tags)
            {
                Console.Out.WriteLine(tag);
            }
        });
        return command;
    }

    private static Verb Digest()
    {
        var reference = Reference();
        var platform = PlatformOption();
        var command = new Verb(
            "digest",
            "Show the digest that a reference names at its registry.",
            "imagestore digest alpine",
            "imagestore digest --platform linux/arm64 alpine")
        {
            reference, platform,
        };
        Bind(command, reference, async (session, client, identifier, token) =>
        {
            var found = session.Value(platform) is { } text
                ? (await ManifestChoice.FetchAsync(client, identifier, Platform.Parse(text), token).ConfigureAwait(false)).Descriptor
                : await client.ResolveAsync(identifier, token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(found, Json.Default.Descriptor);
                return;
            }

            Console.Out.WriteLine(found.Digest);
        });
        return command;
    }

    private static Verb Manifest()
    {
        var reference = Reference();
        var platform = PlatformOption();
        var command = new Verb(
            "manifest",
            "Write a manifest or index to standard output, byte for byte as its registry has it.",
            "imagestore manifest alpine",
            "imagestore manifest --platform linux/arm64 alpine")
        {
            reference, platform,
        };
        Bind(command, reference, async (session, client, identifier, token) =>
        {
            var wanted = session.Value(platform) is { } text ? Platform.Parse(text) : null;
            var fetched = await ManifestChoice.FetchAsync(client, identifier, wanted, token).ConfigureAwait(false);
            using var output = new StandardOutput();
            await output.WriteAsync(fetched.Bytes, token).ConfigureAwait(false);
        });
        return command;
    }

    private static Verb Referrers()
    {
        var reference = Reference();
        var type = new Option<string>("--artifact-type") { Description = "Only those of this artifact type", HelpName = "TYPE" };
        var command = new Verb(
            "referrers",
            "List what refers to an image: signatures, attestations, SBOMs.",
            "imagestore referrers registry.example.com/app:1",
            "imagestore referrers --artifact-type application/spdx+json registry.example.com/app:1")
        {
            reference, type,
        };
        Bind(command, reference, async (session, client, identifier, token) =>
        {
            var subject = Store.Oci.Digest.TryParse(identifier, out var digest)
                ? digest
                : (await client.ResolveAsync(identifier, token).ConfigureAwait(false)).Digest;
            var found = await client.ListReferrersAsync(subject, session.Value(type), token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(found, Json.Default.IReadOnlyListDescriptor);
                return;
            }

            Table.Write(
                Console.Out,
                ["DIGEST", "ARTIFACT TYPE", "SIZE"],
                found.Select(entry => (string[])[
                    entry.Digest.ToString(), Printable.Of(entry.ArtifactType ?? "-"), Sizes.Of(entry.Size)]));
        });
        return command;
    }

    private static Verb Delete()
    {
        var reference = new Argument<string>("REF") { Description = "With a digest, the manifest and all its tags; with a tag, that tag alone" };
        var command = new Verb(
            "delete",
            "Delete a manifest or a tag at its registry.",
            "imagestore delete registry.example.com/app@sha256:…",
            "imagestore delete registry.example.com/app:old")
        {
            reference,
        };
        Bind(command, reference, async (session, client, identifier, token) =>
        {
            var name = client.Reference;
            if (name is { Digest: null, Tag: "latest" } && !session.Value(reference).EndsWith(":latest", StringComparison.Ordinal))
            {
                throw new ImageStoreException(
                    ErrorKind.InvalidArgument, $"{name.RepositoryName} names neither a tag nor a digest.", "Say which one is to be deleted.");
            }

            await client.DeleteAsync(identifier, token).ConfigureAwait(false);
            Results.Write(session, [name.Canonical]);
        });
        return command;
    }

    private static void Bind(
        Verb command, Argument<string> reference, Func<Session, RepositoryClient, string, CancellationToken, Task> body)
    {
        var plain = PlainHttpOption.Make();
        command.Options.Add(plain);
        Session.Bind(command, async (session, token) =>
        {
            var name = ImageReference.Parse(session.Value(reference));
            var registry = RegistryClients.Make(session, session.Value(plain));
            await using var closing = registry.ConfigureAwait(false);
            using var client = registry.Repository(name);
            await body(session, client, name.Identifier, token).ConfigureAwait(false);
        });
    }

    private static Argument<string> Reference() =>
        new("REF") { Description = "Such as alpine:3.20 or registry.example.com/app@sha256:…" };

    private static Option<string> PlatformOption() =>
        new("--platform") { Description = "The platform to take out of an index, such as linux/arm64" };
}
