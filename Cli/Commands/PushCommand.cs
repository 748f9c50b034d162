using System.CommandLine;
using ImageStore.Cli.Completion;
using ImageStore.Distribution.Transfer;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>push LOCAL [REMOTE]</c>.</summary>
internal static class PushCommand
{
    public static Command Build()
    {
        var local = new Argument<string>("LOCAL") { Description = "An image of the store", CompletionSources = { DynamicValues.Images } };
        var remote = new Argument<string?>("REMOTE")
        {
            Description = "Where to push it; its own name when left out", Arity = ArgumentArity.ZeroOrOne,
        };
        var plain = PlainHttpOption.Make();
        var what = new CopyOptionsOnCommand();
        var command = new Verb(
            "push",
            "Push an image of the store to a registry.",
            "imagestore push registry.example.com/app:1",
            "imagestore push alpine 127.0.0.1:5000/base/alpine:3")
        {
            local, remote, plain,
        };
        what.AddTo(command, dryRun: true);
        Session.Bind(command, MetadataAccess.ReadOnly, async (session, engine, token) =>
        {
            var image = engine.FindImage(session.Value(local));
            var to = Place.Parse(session.Optional(remote) ?? image.Name);
            var registry = RegistryClients.Make(session, session.Value(plain));
            await using var closing = registry.ConfigureAwait(false);
            await CopyCommand.RunAsync(
                session,
                Places.Opener(registry, engine),
                new Place(PlaceKind.Store, string.Empty, image.Name),
                to,
                what.Of(session, onePlatform: to.Kind == PlaceKind.DockerArchive),
                token).ConfigureAwait(false);
        });
        return command;
    }
}
