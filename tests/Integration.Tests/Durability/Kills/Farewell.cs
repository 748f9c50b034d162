using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Courses;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.Kills;

/// <summary>The end of a root: everything can still be had, and then everything be removed.</summary>
internal sealed class Farewell(
    StoreCli cli, CommandChooser chooser, SortedDictionary<string, string> tree, Scratch scratch, string mounted)
{
    private readonly List<Finding> _findings = [];
    private readonly List<(KillCommand Command, bool Succeeded)> _done = [];

    /// <summary>Brings all images, collects, mounts; then removes all names and leases, and collects again.</summary>
    public async Task<IReadOnlyList<Finding>> RunAsync(KillModel model, CancellationToken cancellationToken)
    {
        foreach (var command in StoreView.Namespaces.SelectMany(chooser.Everything))
        {
            await DoAsync(command);
        }

        var view = await CollectAsync(model, cancellationToken);
        _findings.AddRange(Leftovers.Of(cli, view, ingests: false));
        var difference = TreeListing.Difference(tree, await MountedTree.ReadAsync(cli, StoreView.Namespaces[0], mounted, scratch.New("mount")));
        if (difference.Length > 0)
        {
            _findings.Add(new Finding(FindingKind.WrongTree, difference));
        }

        foreach (var ns in StoreView.Namespaces)
        {
            foreach (var name in CommandChooser.Names(model, ns))
            {
                await DoAsync(CommandChooser.Pin(ns, name, pinned: false));
                await DoAsync(CommandChooser.Remove(ns, name));
            }

            foreach (var lease in CommandChooser.Leases(model, ns))
            {
                await DoAsync(CommandChooser.RemoveLease(model, ns, lease));
            }
        }

        view = await CollectAsync(model, cancellationToken);
        _findings.AddRange(Leftovers.Of(cli, view, ingests: false));
        _findings.AddRange(view.Content.Keys.Concat(view.Snapshots.Keys)
            .Select(key => new Finding(FindingKind.Leftover, $"{key}, which nothing keeps")));
        return _findings;
    }

    private async Task DoAsync(KillCommand command)
    {
        await Cleaning.OkAsync(cli, command.Namespace, command.Arguments);
        _done.Add((command, true));
    }

    private async Task<StoreView> CollectAsync(KillModel model, CancellationToken cancellationToken)
    {
        var view = await Cleaning.CollectAsync(cli, await StoreView.ReadAsync(cli, cancellationToken), cancellationToken);
        _findings.AddRange(new StoreCheck(view, cli.Blobs, model.After(_done)).Run());
        _findings.AddRange(await SecondOpinion.OfAsync(cli, removedBlobs: false));
        _findings.AddRange(model.Settle(view));
        _done.Clear();
        return view;
    }
}
