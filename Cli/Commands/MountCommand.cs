using System.CommandLine;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>mount REF DIR</c> and <c>unmount DIR</c>.</summary>
internal static class MountCommand
{
    public static Command BuildMount()
    {
        var reference = new Argument<string>("REF") { Description = "The image" };
        var directory = new Argument<string>("DIR") { Description = "An empty directory" };
        var snapshotter = new Option<string>("--snapshotter") { Description = "overlayfs or native; else what the filesystem can do" };
        var write = new Option<bool>("--rw") { Description = "Writable; what is written goes with the unmount" };
        var command = new Command("mount", """
            Mount an image on a directory, read-only.

            Examples:
              imagestore mount alpine /mnt
              imagestore mount --rw alpine /mnt
            """)
        {
            reference, directory, snapshotter, write,
        };
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            await engine.MountAsync(
                session.Value(reference), session.Value(directory), session.Value(write), session.Value(snapshotter), token)
                .ConfigureAwait(false);
            Console.Out.WriteLine(Path.GetFullPath(session.Value(directory)));
        });
        return command;
    }

    public static Command BuildUnmount()
    {
        var directory = new Argument<string>("DIR") { Description = "Where an image is mounted" };
        var snapshotter = new Option<string>("--snapshotter") { Description = "The one that it was mounted with" };
        var command = new Command("unmount", """
            Undo a mount.

            Examples:
              imagestore unmount /mnt
            """)
        {
            directory, snapshotter,
        };
        Session.Bind(command, MetadataAccess.ReadWrite, (session, engine, token) =>
            engine.UnmountAsync(session.Value(directory), session.Value(snapshotter), token));
        return command;
    }
}
