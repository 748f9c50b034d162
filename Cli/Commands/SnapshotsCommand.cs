using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>snapshots ls|tree|rm</c>.</summary>
internal static class SnapshotsCommand
{
    private static readonly Option<string> s_snapshotter = MakeSnapshotter();

    public static Command Build() =>
        new("snapshots", "List and remove snapshots.") { s_snapshotter, List(), Tree(), Remove() };

    private static Verb List()
    {
        var command = new Verb(
            "ls",
            "List the snapshots of the namespace.",
            "imagestore snapshots ls",
            "imagestore snapshots ls --snapshotter native");
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

    private static Verb Tree()
    {
        var command = new Verb(
            "tree",
            "Draw which snapshot stands on which.",
            "imagestore snapshots tree");
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            var snapshots = await WalkAsync(session, engine, token).ConfigureAwait(false);
            var nodes = TreeOf(snapshots);
            if (session.Json)
            {
                Json.Write(nodes, Json.Default.IReadOnlyListSnapshotNode);
                return;
            }

            foreach (var node in nodes)
            {
                Console.Out.WriteLine($"{new string(' ', 2 * node.Depth)}{Printable.Of(node.Name)}");
            }
        });
        return command;
    }

    private static List<SnapshotNode> TreeOf(IReadOnlyList<SnapshotInfo> snapshots)
    {
        var children = snapshots.ToLookup(snapshot => snapshot.Parent ?? string.Empty);
        List<SnapshotNode> nodes = [];
        Stack<(SnapshotInfo Node, int Depth)> open = new(children[string.Empty].Reverse().Select(node => (node, 0)));
        while (open.TryPop(out var next))
        {
            nodes.Add(new SnapshotNode(
                next.Node.Name, next.Node.Kind.ToString().ToLowerInvariant(), next.Node.Parent, next.Depth));
            foreach (var child in children[next.Node.Name].Reverse())
            {
                open.Push((child, next.Depth + 1));
            }
        }

        return nodes;
    }

    private static Verb Remove()
    {
        var keys = new Argument<string[]>("NAME") { Description = "The snapshots", Arity = ArgumentArity.OneOrMore };
        var command = new Verb(
            "rm",
            "Remove snapshots that have no children.",
            "imagestore snapshots rm sha256:…")
        {
            keys,
        };
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            var snapshotter = await engine.SnapshotterAsync(session.Value(s_snapshotter), token).ConfigureAwait(false);
            await Results.EachAsync(
                session, session.Value(keys), key => key, key => snapshotter.RemoveAsync(key, token)).ConfigureAwait(false);
        });
        return command;
    }

    private static Option<string> MakeSnapshotter()
    {
        var option = SnapshotterOption.Make();
        option.Recursive = true;
        return option;
    }

    private static async Task<IReadOnlyList<SnapshotInfo>> WalkAsync(
        Session session, Engine.StoreEngine engine, CancellationToken cancellationToken)
    {
        var snapshotter = await engine.SnapshotterAsync(session.Value(s_snapshotter), cancellationToken).ConfigureAwait(false);
        return await snapshotter.WalkAsync(cancellationToken).ConfigureAwait(false);
    }
}
