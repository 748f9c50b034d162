using System.CommandLine;
using ImageStore.Cli.Completion;
using ImageStore.Cli.Output;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>mount REF DIR</c> and <c>unmount DIR</c>.</summary>
internal static class MountCommand
{
    public static Command BuildMount()
    {
        var reference = new Argument<string>("REF") { Description = "The image", CompletionSources = { DynamicValues.Images } };
        var directory = new Argument<string>("DIR") { Description = "An empty directory" };
        var snapshotter = SnapshotterOption.Make();
        var write = new Option<bool>("--rw") { Description = "Writable; what is written goes with the unmount" };
        var users = Map("--uidmap", "Show the owners of files as others: CONTAINER is an id of the image, HOST the id that it is shown as; repeatable");
        var groups = Map("--gidmap", "The same for groups");
        var command = new Verb(
            "mount",
            "Mount an image on a directory, read-only.",
            "imagestore mount alpine /mnt",
            "imagestore mount --rw alpine /mnt",
            "imagestore mount --uidmap 0:100000:65536 --gidmap 0:100000:65536 alpine /mnt")
        {
            reference, directory, snapshotter, write, users, groups,
        };
        Session.BindToExisting(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            await engine.MountAsync(
                session.Value(reference), session.Value(directory), session.Value(write), session.Value(snapshotter),
                IdMapPair.Of(session.Value(users) ?? [], session.Value(groups) ?? []), token)
                .ConfigureAwait(false);
            Tell(session, session.Value(directory), mounted: true);
        });
        return command;
    }

    public static Command BuildUnmount()
    {
        var directory = new Argument<string>("DIR") { Description = "Where an image is mounted" };
        var snapshotter = SnapshotterOption.Make("The one that it was mounted with");
        var command = new Verb(
            "unmount",
            "Undo a mount.",
            "imagestore unmount /mnt")
        {
            directory, snapshotter,
        };
        Session.BindToExisting(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            await engine.UnmountAsync(session.Value(directory), session.Value(snapshotter), token).ConfigureAwait(false);
            Tell(session, session.Value(directory), mounted: false);
        });
        return command;
    }

    private static Option<string[]> Map(string name, string description) => new(name)
    {
        Description = description, HelpName = "CONTAINER:HOST:SIZE", Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false,
    };

    private static void Tell(Session session, string directory, bool mounted)
    {
        var target = Path.GetFullPath(directory);
        if (session.Json)
        {
            Json.Write(new MountOutcome(target, mounted), Json.Default.MountOutcome);
        }
        else if (mounted)
        {
            Console.Out.WriteLine(Printable.Of(target));
        }
    }
}
