using System.CommandLine;
using ImageStore.Cli.Completion;
using ImageStore.Cli.Output;
using ImageStore.Engine.Bundles;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Commands;

/// <summary><c>bundle REF DIR [-- CMD…]</c>.</summary>
internal static class BundleCommand
{
    /// <summary>The words of a container's command, of which one may be empty.</summary>
    public const string Words = "CMD";

    public static Command Build()
    {
        var reference = new Argument<string>("REF") { Description = "An image of the store", CompletionSources = { DynamicValues.Images } };
        var directory = new Argument<string>("DIR") { Description = "The bundle: a directory that is empty, or is made" };
        var words = new Argument<string[]>(Words)
        {
            Description = "What it runs, instead of the image's command. After -- nothing of it is an option of ours", Arity = ArgumentArity.ZeroOrMore,
        };
        var platform = new Option<string>("--platform") { Description = "The platform to take out of an index, such as linux/arm64" };
        var snapshot = new Option<bool>("--snapshot") { Description = "Mount a snapshot as the root filesystem, instead of writing its files; 'unmount DIR/rootfs' undoes it" };
        var snapshotter = SnapshotterOption.Make("The snapshotter for --snapshot");
        var container = new ContainerOptionsOnCommand();
        var command = new Verb(
            "bundle",
            "Write an OCI bundle of an image: a root filesystem and a config.json that runc and crun run.",
            "imagestore bundle alpine box && runc run --bundle box mybox",
            "imagestore bundle --read-only -u nobody -e MODE=fast -v ./data:/data:ro alpine box -- sh -c 'ls /data'",
            "imagestore bundle --memory 256M --cpus 1.5 --pids-limit 100 --cap-drop ALL --cap-add NET_BIND_SERVICE app:1 box",
            "imagestore unshare -- sh -c 'imagestore bundle alpine box && runc run --bundle box mybox'")
        {
            reference, directory, words, platform, snapshot, snapshotter,
        };
        container.AddTo(command);
        Session.BindToExisting(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            if (session.Value(snapshotter) is not null && !session.Value(snapshot))
            {
                throw new ImageStoreException(ErrorKind.InvalidArgument, "--snapshotter is for --snapshot alone.", "Add --snapshot, or leave it out: files are written from the layers themselves.");
            }

            var request = new BundleRequest
            {
                Reference = session.Value(reference),
                Directory = session.Value(directory),
                Platform = session.Value(platform) is { } text ? Platform.Parse(text) : null,
                Mount = session.Value(snapshot),
                Snapshotter = session.Value(snapshotter),
                Options = container.Of(session, session.Value(words)),
            };
            Tell(session, await ProgressLines.WhileAsync(session, progress => engine.BundleAsync(request, progress, token)).ConfigureAwait(false));
        });
        return command;
    }

    private static void Tell(Session session, BundleResult made)
    {
        foreach (var note in made.Notes)
        {
            Console.Error.WriteLine($"imagestore: {note}");
        }

        if (session.Json)
        {
            Json.Write(made, Json.Default.BundleResult);
            return;
        }

        Console.Out.WriteLine($"{Printable.Of(made.Directory)} is a bundle of {Printable.Of(made.Image)}");
        Console.Out.WriteLine($"digest    {made.Manifest}");
        Console.Out.WriteLine($"runs      {Printable.Of(string.Join(' ', made.Arguments))}");
        Console.Out.WriteLine($"run it    runc run --bundle {Printable.Of(made.Directory)} NAME");
    }
}
