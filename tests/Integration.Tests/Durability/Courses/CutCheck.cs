using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>Asks a root that something died over whether it has what it should, and whether it goes on.</summary>
/// <param name="step">The command that was interrupted.</param>
/// <param name="trees">What images show when they are mounted, by namespace and name.</param>
/// <param name="scratch">Where mounts may be.</param>
internal sealed class CutCheck(
    RecordedStep step, IReadOnlyDictionary<(string Namespace, string Name), SortedDictionary<string, string>> trees, Scratch scratch)
{
    private const int MoreAttempts = 5;

    /// <summary>Looks, repeats the command, collects, and compares with the undisturbed root.</summary>
    /// <param name="cli">The root.</param>
    /// <param name="acknowledged">Whether the command had ended with success.</param>
    /// <param name="sameBoot">Whether the machine went on.</param>
    /// <param name="mounted">Which image is mounted at the end.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What is wrong.</returns>
    public async Task<IReadOnlyList<Finding>> RunAsync(
        StoreCli cli, bool acknowledged, bool sameBoot, int mounted, CancellationToken cancellationToken)
    {
        List<Finding> findings = [];
        try
        {
            var view = await StoreView.ReadAsync(cli, cancellationToken);
            findings.AddRange(Check(cli, view, acknowledged ? step.After : step.Before, sameBoot));
            findings.AddRange(await SecondOpinion.OfAsync(cli, removedBlobs: false));
            if (await RepeatAsync(cli, view) is { } failed)
            {
                findings.Add(failed);
                return findings;
            }

            view = await Cleaning.CollectAsync(cli, view, cancellationToken);
            findings.AddRange(Check(cli, view, step.Goal, sameBoot));
            findings.AddRange(Leftovers.Of(cli, view, ingests: true));
            Compare(view, sameBoot, findings);
            findings.AddRange(await SecondOpinion.OfAsync(cli, removedBlobs: false));
            await MountAsync(cli, mounted, findings);
        }
        catch (CommandException failure)
        {
            findings.Add(new Finding(FindingKind.Unreadable, failure.Message));
        }

        return findings;
    }

    private IReadOnlyList<Finding> Check(StoreCli cli, StoreView view, Facts before, bool sameBoot) =>
        new StoreCheck(view, cli.Blobs, Expectations.Between(before, step.Goal, sameBoot)).Run();

    /// <summary>Null when the command succeeds, or was done already and says so.</summary>
    private async Task<Finding?> RepeatAsync(StoreCli cli, StoreView view)
    {
        var allowed = step.Step.DoneCode(view);
        var result = await cli.TryAsync(step.Step.Namespace, step.Step.Arguments);
        if (result.ExitCode == allowed)
        {
            return null;
        }

        List<int> later = [];
        while (later.Count < MoreAttempts && (later.Count == 0 || later[^1] != 0))
        {
            later.Add((await cli.TryAsync(step.Step.Namespace, step.Step.Arguments)).ExitCode);
        }

        return new Finding(
            FindingKind.NotRepeatable,
            $"{step.Step} ended with {result.ExitCode} instead of {allowed}, at the next attempts with {string.Join(", ", later)}: "
            + result.Error.Trim());
    }

    private void Compare(StoreView view, bool sameBoot, List<Finding> findings)
    {
        var (expected, actual) = (step.Undisturbed.Dump(), view.Dump());
        findings.AddRange(expected.Except(actual).Select(row => new Finding(FindingKind.Different, $"missing: {row}")));
        findings.AddRange(actual.Except(expected).Select(row => new Finding(FindingKind.Different, $"too much: {row}")));
        findings.AddRange(view.Snapshots.Keys.Except(step.Undisturbed.Snapshots.Keys)
            .Select(key => new Finding(FindingKind.Different, $"too much: snapshot {key}")));
        if (sameBoot)
        {
            findings.AddRange(step.Undisturbed.Snapshots.Keys.Except(view.Snapshots.Keys)
                .Select(key => new Finding(FindingKind.Different, $"missing: snapshot {key}")));
        }
    }

    private async Task MountAsync(StoreCli cli, int mounted, List<Finding> findings)
    {
        var there = trees.Keys.Order().Where(image => step.Goal.HasImage(image.Namespace, image.Name)).ToList();
        if (there.Count > 0)
        {
            var image = there[mounted % there.Count];
            var tree = await MountedTree.ReadAsync(cli, image.Namespace, image.Name, scratch.New("mount"));
            var difference = TreeListing.Difference(trees[image], tree);
            if (difference.Length > 0)
            {
                findings.Add(new Finding(FindingKind.WrongTree, $"{image.Name} of {image.Namespace}: {difference}"));
            }
        }
    }
}
