using System.Globalization;

namespace ImageStore.Snapshotters.Tests.Layers.Diff;

/// <summary>A random tree, random changes to it, the layer of the difference, and the tree that the layer makes: it is the same one.</summary>
/// <remarks>DIFF_ROUNDS has it do more than the usual few hundred, DIFF_SEED begins elsewhere. A failure is shrunk to the steps that it needs.</remarks>
public sealed class RoundTripTests
{
    private const int UsualRounds = 60;
    private const int MaxSteps = 40;

    public RoundTripTests() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");

    private static int Rounds => Number("DIFF_ROUNDS") ?? UsualRounds;

    private static int FirstSeed => Number("DIFF_SEED") ?? 1;

    [Fact]
    public void Native_WholeTrees_GivesTheSameTree() => Explore((bench, before, changes) =>
    {
        var lower = Grow(bench.Make(), before);
        var upper = Grow(bench.Copy(lower), changes);
        var layer = DiffBench.Diff([DiffBench.Bind(lower)], [DiffBench.Bind(upper)]);
        return (TreeText.Of(upper), TreeText.Of(bench.Merge(layer, lower)));
    });

    [Fact]
    public void Overlay_UpperDirectory_GivesTheSameTree() => Explore((bench, before, changes) =>
    {
        var (lowers, upper, tree) = Stack(bench, before, changes);
        var layer = DiffBench.Diff([bench.OverlayMount(lowers)], [bench.OverlayMount(lowers, upper)]);
        return (tree, TreeText.Of(bench.Overlay([bench.Apply(layer, lowers), .. lowers])));
    });

    [Fact]
    public void Overlay_AgainstAnotherStack_GivesTheSameTree() => Explore((bench, before, changes) =>
    {
        var (lowers, upper, tree) = Stack(bench, before, changes);
        var other = bench.Copy(bench.Overlay(lowers));
        var layer = DiffBench.Diff([DiffBench.Bind(other)], [bench.OverlayMount(lowers, upper)]);
        return (tree, TreeText.Of(bench.Merge(layer, other)));
    });

    [Fact]
    public void Overlay_ThatRedirects_IsMountedAndGivesTheSameTree() => Explore((bench, before, changes) =>
    {
        var (lowers, upper, tree) = Stack(bench, before, changes, "redirect_dir=on", "metacopy=on");
        var layer = DiffBench.Diff([bench.OverlayMount(lowers)], [bench.OverlayMount(lowers, upper)]);
        return (tree, TreeText.Of(bench.Overlay([bench.Apply(layer, lowers), .. lowers])));
    });

    [Fact]
    public void Base_UnpackedByGnuTar_IsTheSameTree() => Explore((bench, before, changes) =>
    {
        var tree = Grow(bench.Make(), [.. before, .. changes]);
        var file = Path.Combine(bench.Make(), "layer.tar");
        File.WriteAllBytes(file, DiffBench.Diff([], [DiffBench.Bind(tree)]));
        var unpacked = bench.Make();
        var (code, output) = DiffBench.Run(
            "tar", "-x", "-p", "--same-owner", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--warning=no-unknown-keyword", "-C", unpacked, "-f", file);
        Assert.True(code == 0, output);
        return (Files(TreeText.Of(tree)), Files(TreeText.Of(unpacked)));
    });

    // The tool that unpacks decides the root's own metadata where there is no entry, and whether it takes times that are far away.
    private static string Files(string tree) => tree[(tree.IndexOf('\n', StringComparison.Ordinal) + 1)..];

    private static (List<string> Lowers, string Upper, string Tree) Stack(
        DiffBench bench, TreeStep[] before, TreeStep[] changes, params string[] options)
    {
        var half = before.Length / 2;
        var first = Grow(bench.Make(), before[..half]);
        var second = bench.Make("upper");
        Grow(bench.Overlay([first], second), before[half..]);
        List<string> lowers = [second, first];
        var upper = bench.Make("upper");
        var mounted = bench.Overlay(lowers, upper, options);
        Grow(mounted, changes);
        return (lowers, upper, TreeText.Of(mounted));
    }

    private static string Grow(string root, TreeStep[] steps)
    {
        Array.ForEach(steps, step => step.Do(root));
        return root;
    }

    private static void Explore(Func<DiffBench, TreeStep[], TreeStep[], (string Expected, string Actual)> trip)
    {
        for (var seed = FirstSeed; seed < FirstSeed + Rounds; seed++)
        {
            var random = new Random(seed);
            TreeStep[] before = [.. TreeStep.Start, .. Steps(random)];
            var changes = Steps(random);
            if (Fault(trip, before, changes) is not { } fault)
            {
                continue;
            }

            for (var smaller = true; smaller;)
            {
                smaller = Shrink(ref before, steps => Fault(trip, steps, changes), ref fault)
                    | Shrink(ref changes, steps => Fault(trip, before, steps), ref fault);
            }

            Assert.Fail(
                $"seed {seed}\nbefore:\n  {string.Join("\n  ", before.AsEnumerable())}\nchanges:\n  {string.Join("\n  ", changes.AsEnumerable())}\n{fault}");
        }
    }

    private static bool Shrink(ref TreeStep[] steps, Func<TreeStep[], string?> check, ref string fault)
    {
        var before = steps.Length;
        for (var i = steps.Length - 1; i >= 0; i--)
        {
            TreeStep[] fewer = [.. steps[..i], .. steps[(i + 1)..]];
            if (check(fewer) is { } still)
            {
                (steps, fault) = (fewer, still);
            }
        }

        return steps.Length < before;
    }

    private static string? Fault(
        Func<DiffBench, TreeStep[], TreeStep[], (string Expected, string Actual)> trip, TreeStep[] before, TreeStep[] changes)
    {
        using var bench = new DiffBench();
        try
        {
            var (expected, actual) = trip(bench, before, changes);
            var (a, b) = (expected.Split('\n'), actual.Split('\n'));
            return expected == actual ? null : $"missing:\n  {string.Join("\n  ", a.Except(b))}\ntoo much:\n  {string.Join("\n  ", b.Except(a))}";
        }
        catch (Store.Errors.ImageStoreException failure)
        {
            return failure.ToString();
        }
    }

    private static TreeStep[] Steps(Random random) =>
        [.. Enumerable.Range(0, random.Next(MaxSteps)).Select(_ => TreeStep.Random(random))];

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}
