using System.CommandLine;
using ImageStore.Cli.Completion;
using ImageStore.Cli.Output;
using ImageStore.Engine.Rebase;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Commands;

/// <summary><c>rebase IMAGE NEW-IMAGE</c>.</summary>
internal static class RebaseCommand
{
    public static Command Build()
    {
        var image = new Argument<string>("IMAGE") { Description = "The image", CompletionSources = { DynamicValues.Images } };
        var name = new Argument<string>("NEW-IMAGE") { Description = "The name that the new image gets; may be the same" };
        var oldBase = new Option<string>("--old-base")
        {
            Description = "What it stands on, a name or digest; else what its annotation says", HelpName = "REF", CompletionSources = { DynamicValues.Images },
        };
        var newBase = new Option<string>("--new-base")
        {
            Description = "What it is to stand on; else what the name in its annotation stands for now", HelpName = "REF", CompletionSources = { DynamicValues.Images },
        };
        var platform = new Option<string>("--platform") { Description = "The platform to take out of an index" };
        var command = new Verb(
            "rebase",
            "Put an image's own layers onto another base. No layer is read; all of it has to be in the store.",
            "imagestore rebase --old-base debian:12.1 --new-base debian:12.2 app:1 app:2",
            "imagestore pull debian:12; imagestore rebase app:1 app:2")
        {
            image, name, oldBase, newBase, platform,
        };
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            var made = await engine.RebaseAsync(
                new RebaseRequest
                {
                    Image = session.Value(image),
                    Name = session.Value(name),
                    OldBase = session.Value(oldBase),
                    NewBase = session.Value(newBase),
                    Platform = session.Value(platform) is { } text ? Platform.Parse(text) : null,
                },
                token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(made, Json.Default.RebaseResult);
                return;
            }

            Console.Out.WriteLine($"{Printable.Of(made.Name)}  {made.Target.Digest}");
        });
        return command;
    }
}
