using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Courses;
using ImageStore.Store.Namespaces;

namespace ImageStore.Integration.Tests.Durability.Kills;

/// <summary>One random course after the other, each on a root of its own, until enough was killed.</summary>
/// <param name="images">What is pulled and imported.</param>
/// <param name="tree">What the last of the images shows when it is mounted.</param>
/// <param name="scratch">Where the roots are.</param>
/// <param name="tally">What was killed and found.</param>
/// <param name="seed">What this worker's chance begins with.</param>
internal sealed class KillWorker(
    KillImages images, SortedDictionary<string, string> tree, Scratch scratch, Tally tally, int seed)
{
    public const string Kills = "kills";

    private const int KillsPerRoot = 50;
    private const int ToldRounds = 15;
    private const double Together = 0.25;

    // When two run at a time, the one may take what the other names, or make what it is about to make.
    private static readonly int[] s_refused = [3, 4, 5];

    private static readonly string[] s_snapshotters = ["overlayfs", "native", "erofs"];

    private readonly Random _random = new(seed);
    private readonly List<string> _story = [];

    /// <summary>Goes on until the tally has <paramref name="kills"/> kills.</summary>
    public async Task RunAsync(int kills, CancellationToken cancellationToken)
    {
        await using var boot = await Boot.SameAsync(scratch, Account.Self);
        var pace = new Pace(_random);
        while (tally.Of(Kills) < kills)
        {
            var root = scratch.New("root");
            _story.Clear();
            var findings = await CourseAsync(new StoreCli(root, boot), pace, kills, cancellationToken);
            tally.Count("roots");
            if (findings.Count > 0)
            {
                tally.Fail(findings, () => $"  seed {seed}; the last rounds were\n    {string.Join("\n    ", _story.TakeLast(ToldRounds))}");
            }

            if (Directory.Exists(root))
            {
                Directory.Delete(root, recursive: true);
            }
        }
    }

    private async Task<IReadOnlyList<Finding>> CourseAsync(StoreCli cli, Pace pace, int kills, CancellationToken cancellationToken)
    {
        var (model, chooser) = (new KillModel(), new CommandChooser(images, _random));
        var rounds = new KillRound(cli, pace, scratch);
        try
        {
            foreach (var ns in StoreView.Namespaces)
            {
                var kind = s_snapshotters[_random.Next(s_snapshotters.Length)];
                await Cleaning.OkAsync(cli, ns, ["namespaces", "create", ns, $"{NamespaceRecord.DefaultSnapshotterLabel}={kind}"]);
                model.Begin(Facts.LabelKey(ns, NamespaceRecord.DefaultSnapshotterLabel), kind);
                _story.Add($"{ns} unpacks with {kind}");
            }

            for (var killed = 0; killed < KillsPerRoot && tally.Of(Kills) < kills;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                KillCommand[] commands = _random.NextDouble() < Together ? [chooser.Next(model), chooser.Next(model)] : [chooser.Next(model)];
                var outcomes = await rounds.RunAsync(commands);
                _story.Add(string.Join(" | ", outcomes));
                killed += Count(outcomes);
                var findings = await LookAsync(cli, model, outcomes, cancellationToken);
                if (findings.Count > 0)
                {
                    return findings;
                }
            }

            return await new Farewell(cli, chooser, tree, scratch, images.Pullable[^1].Name).RunAsync(model, cancellationToken);
        }
        catch (CommandException failure)
        {
            return [new Finding(FindingKind.Unreadable, failure.Message)];
        }
    }

    private int Count(IReadOnlyList<KillRound.Outcome> outcomes)
    {
        foreach (var outcome in outcomes)
        {
            tally.Count(outcome.Killed ? $"killed, {outcome.Command.Kind}" : "commands that were faster than the kill or spared");
        }

        var killed = outcomes.Count(outcome => outcome.Killed);
        tally.Count(Kills, killed);
        return killed;
    }

    private static async Task<IReadOnlyList<Finding>> LookAsync(
        StoreCli cli, KillModel model, IReadOnlyList<KillRound.Outcome> outcomes, CancellationToken cancellationToken)
    {
        List<Finding> findings = [.. outcomes
            .Where(outcome => !outcome.Killed && outcome.Code != 0 && (outcomes.Count == 1 || !s_refused.Contains(outcome.Code)))
            .Select(outcome => new Finding(FindingKind.NotRepeatable, outcome.ToString()))];
        var view = await StoreView.ReadAsync(cli, cancellationToken);
        var expected = model.After([.. outcomes.Select(outcome => (outcome.Command, outcome.Code == 0))]);
        findings.AddRange(new StoreCheck(view, cli.Blobs, expected).Run());
        findings.AddRange(await SecondOpinion.OfAsync(cli, expected.RemovedBlobs.Count > 0));
        findings.AddRange(model.Settle(view));
        return findings;
    }
}
