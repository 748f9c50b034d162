using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>snapshots ls|tree|rm</c>.</summary>
internal static class SnapshotsCommand
{
    private static readonly Option<string> s_snapshotter = new("--snapshotter")
    {
        Description = "overlayfs or native; else what the filesystem can do", Recursive = true,
    };

    public static Command Build() =>
        new("snapshots", "List and remove snapshots.") { s_snapshotter, List(), Tree(), Remove() };

    private static Command List()
    {
        var command = new Command("ls", """
            List the snapshots of the namespace.

            Examples:
              imagestore snapshots ls
              imagestore snapshots ls --snapshotter native
            """);
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            var snapshots = await WalkAsync(session, engine, token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(snapshots, Json.Default.IReadOnlyListSnapshotInfo);
                return;
            }

            Table.Write(
                Console.Out,
                ["NAME", "KIND", "PARENT", "CREATED"],
                snapshots.Select(snapshot => (string[])[
                    Printable.Of(snapshot.Name),
                    snapshot.Kind.ToString().ToLowerInvariant(),
                    Printable.Of(snapshot.Parent ?? "-"),
                    Sizes.Of(snapshot.CreatedAt)]));
        });
        return command;
    }

    private static Command Tree()
    {
        var command = new Command("tree", """
            Draw which snapshot stands on which.

            Examples:
              imagestore snapshots tree
            """);
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            var snapshots = await WalkAsync(session, engine, token).ConfigureAwait(false);
            var children = snapshots.ToLookup(snapshot => snapshot.Parent ?? string.Empty);
            Stack<(SnapshotInfo Node, int Depth)> open = new(children[string.Empty].Reverse().Select(node => (node, 0)));
            while (open.TryPop(out var next))
            {
                Console.Out.WriteLine(new string(' ', 2 * next.Depth) + Printable.Of(next.Node.Name));
                foreach (var child in children[next.Node.Name].Reverse())
                {
                    open.Push((child, next.Depth + 1));
                }
            }
        });
        return command;
    }

    private static Command Remove()
    {
        var keys = new Argument<string[]>("NAME") { Description = "The snapshots", Arity = ArgumentArity.OneOrMore };
        var command = new Command("rm", """
            Remove snapshots that have no children.

            Examples:
              imagestore snapshots rm sha256:…
            """)
        {
            keys,
        };
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            var snapshotter = await engine.SnapshotterAsync(session.Value(s_snapshotter), token).ConfigureAwait(false);
            foreach (var key in session.Value(keys))
            {
                await snapshotter.RemoveAsync(key, token).ConfigureAwait(false);
                Console.Out.WriteLine(Printable.Of(key));
            }
        });
        return command;
    }

    private static async Task<IReadOnlyList<SnapshotInfo>> WalkAsync(
        Session session, Engine.StoreEngine engine, CancellationToken cancellationToken)
    {
        var snapshotter = await engine.SnapshotterAsync(session.Value(s_snapshotter), cancellationToken).ConfigureAwait(false);
        return await snapshotter.WalkAsync(cancellationToken).ConfigureAwait(false);
    }
}
