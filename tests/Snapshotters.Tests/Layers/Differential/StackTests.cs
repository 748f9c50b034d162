using System.Globalization;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Tests.Layers.Diff;

namespace ImageStore.Snapshotters.Tests.Layers.Differential;

/// <summary>Random stacks of layers in all dialects of tar: a model in memory says what tree each makes, on overlayfs over directories and over EROFS images, and as a whole tree.</summary>
/// <remarks>
/// STACK_ROUNDS has it do more than the usual few, STACK_SEED begins elsewhere. A failure is shrunk to the steps that it needs.
/// Each layer's difference to what is below it is made as well, twice, and applied again.
/// </remarks>
public sealed class StackTests
{
    private const int UsualRounds = 40;
    private const int Forms = 5;
    private static readonly LayerFormat s_format = new("trusted.overlay.opaque");

    public StackTests() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");

    private static int Rounds => Number("STACK_ROUNDS") ?? UsualRounds;

    private static int FirstSeed => Number("STACK_SEED") ?? 1;

    [Fact]
    public void Native_EachLayer_MakesTheModelsTree() => Explore((bench, stack) =>
    {
        var tree = bench.Make("tree");
        foreach (var (archive, model) in stack.Write())
        {
            LayerMerger.MergeOnto(bench.Apply(Packed(archive, stack), [tree]), tree, s_format, DiffBench.Ct);
            if (Difference(model.ToText(), TreeText.Of(tree)) is { } fault)
            {
                return fault;
            }
        }

        return null;
    });

    [Fact]
    public void Overlay_EachLayer_MakesTheModelsTreeAndItsDifferenceMakesItAgain() =>
        Explore((bench, stack) => StackFault(bench, stack, bench.Apply));

    [Fact]
    public void Erofs_EachLayer_MakesTheModelsTreeAndItsDifferenceMakesItAgain()
    {
        using (var probe = new DiffBench())
        {
            Assert.SkipUnless(probe.CanMountImages, "needs EROFS");
        }

        Explore((bench, stack) => StackFault(bench, stack, bench.ApplyImage));
    }

    private static string? StackFault(DiffBench bench, Stack stack, Func<byte[], IReadOnlyList<string>, string> apply)
    {
        List<string> lowers = [];
        foreach (var (archive, model) in stack.Write())
        {
            var below = lowers.ToList();
            lowers.Insert(0, apply(Packed(archive, stack), lowers));
            var expected = model.ToText();
            if (Difference(expected, Shown(bench, lowers)) is { } fault)
            {
                return fault;
            }

            var layer = DiffBench.Diff(Mounts(bench, below), Mounts(bench, lowers));
            Assert.Equal(layer, DiffBench.Diff(Mounts(bench, below), Mounts(bench, lowers)));
            if (Difference(expected, Shown(bench, [apply(layer, below), .. below])) is { } lost)
            {
                return "made again: " + lost;
            }
        }

        return null;
    }

    private static IReadOnlyList<Snapshotters.Mounts.Mount> Mounts(DiffBench bench, List<string> lowers) => lowers.Count switch
    {
        0 => [],
        1 => [DiffBench.Bind(lowers[0])],
        _ => [bench.OverlayMount(lowers)],
    };

    private static string Shown(DiffBench bench, List<string> lowers)
    {
        if (lowers.Count == 1)
        {
            return TreeText.Of(lowers[0]);
        }

        var mounted = bench.Overlay(lowers);
        var text = TreeText.Of(mounted);
        bench.Unmount(mounted);
        return text;
    }

    private static byte[] Packed(byte[] archive, Stack stack) => Stack.Pack(archive, stack.Seed % Forms);

    public static string? Difference(string expected, string actual)
    {
        var (a, b) = (expected.Split('\n'), actual.Split('\n'));
        return expected == actual ? null : $"missing:\n  {string.Join("\n  ", a.Except(b))}\ntoo much:\n  {string.Join("\n  ", b.Except(a))}";
    }

    private static void Explore(Func<DiffBench, Stack, string?> fault)
    {
        for (var seed = FirstSeed; seed < FirstSeed + Rounds; seed++)
        {
            var stack = Stack.Random(seed, isTame: false);
            if (Fault(fault, stack) is null)
            {
                continue;
            }

            var smallest = stack.Shrunk(candidate => Fault(fault, candidate) is not null);
            Assert.Fail($"{smallest}\n{Fault(fault, smallest)}");
        }
    }

    private static string? Fault(Func<DiffBench, Stack, string?> fault, Stack stack)
    {
        using var bench = new DiffBench();
        try
        {
            return fault(bench, stack);
        }
        catch (Store.Errors.ImageStoreException failure)
        {
            return failure.ToString();
        }
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}
