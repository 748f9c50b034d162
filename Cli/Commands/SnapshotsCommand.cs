using System.CommandLine;
using ImageStore.Cli.Completion;
using ImageStore.Cli.Output;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>snapshots ls|tree|prepare|rm</c>.</summary>
internal static class SnapshotsCommand
{
    private static readonly Option<string> s_snapshotter = MakeSnapshotter();

    public static Command Build() =>
        new("snapshots", "List, prepare and remove snapshots.") { s_snapshotter, List(), Tree(), Prepare(), Remove() };

    private static Verb List()
    {
        var command = new Verb(
            "ls",
            "List the snapshots of the namespace.",
            "imagestore snapshots ls",
            "imagestore snapshots ls --snapshotter native");
        Session.BindToExisting(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
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
        Session.BindToExisting(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
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

    private static Verb Prepare()
    {
        var key = new Argument<string>("KEY") { Description = "What the snapshot is to be called" };
        var parent = new Argument<string?>("PARENT|IMAGE")
        {
            Description = "What it stands on; else it is empty", Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => null, CompletionSources = { DynamicValues.Images },
        };
        var command = new Verb(
            "prepare",
            "Make a snapshot to be changed, and show how it is mounted. It stays until it is removed.",
            "imagestore snapshots prepare work alpine",
            "imagestore snapshots prepare empty")
        {
            key, parent,
        };
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            var mounts = await engine.PrepareAsync(
                session.Value(key), session.Optional(parent), session.Value(s_snapshotter), token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(mounts, Json.Default.IReadOnlyListMount);
                return;
            }

            foreach (var mount in mounts)
            {
                Console.Out.WriteLine($"mount -t {mount.Type} -o {string.Join(',', mount.Options)} {mount.Source} DIR");
            }
        });
        return command;
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
        Session.BindToExisting(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
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
