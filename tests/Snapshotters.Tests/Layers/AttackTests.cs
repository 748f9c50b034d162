using System.Globalization;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Snapshotters.Tests.Layers.Diff;
using ImageStore.Snapshotters.Trees;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>While others swap names for links all over a tree, whatever is done to it may fail, but touches nothing outside.</summary>
/// <remarks>ATTACK_ROUNDS has it do more than the usual few.</remarks>
public sealed class AttackTests : IDisposable
{
    private const int UsualRounds = 100;
    private const int Players = 2;
    private const int WaitSeconds = 60;
    private static readonly LayerFormat s_format = new("trusted.overlay.opaque");
    private static readonly string[] s_names = ["a", "b", "f", "l"];
    private readonly string _work = Directory.CreateTempSubdirectory("attack-").FullName;
    private readonly string _canary;

    public AttackTests()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        _canary = Grow(Directory.CreateDirectory(Path.Combine(_work, "outside")).FullName);
    }

    private static int Rounds =>
        int.TryParse(Environment.GetEnvironmentVariable("ATTACK_ROUNDS"), CultureInfo.InvariantCulture, out var number) ? number : UsualRounds;

    public void Dispose() => TreeRemover.RemoveTree(_work);

    [Fact]
    public void Apply_Settle_UnderAttack_TouchNothingOutside() => Attack((layer, lower, _) =>
    {
        var applied = LayerApplier.Apply(
            new MemoryStream(Layer()), LayerCompression.None, layer, s_format, new LayerLimits(), null, CancellationToken.None);
        LayerSettler.Settle(applied, layer, [lower], s_format, CancellationToken.None);
    });

    [Fact]
    public void Merge_UnderAttack_TouchesNothingOutside() =>
        Attack((layer, _, tree) => LayerMerger.MergeOnto(layer, tree, s_format, CancellationToken.None), grown: true);

    [Fact]
    public void Copy_UnderAttack_TouchesNothingOutside() =>
        Attack((layer, lower, tree) => TreeCopier.Copy(lower, tree, CancellationToken.None));

    [Fact]
    public void Remove_UnderAttack_TouchesNothingOutside() =>
        Attack((layer, _, _) => TreeRemover.RemoveTree(layer), grown: true);

    [Fact]
    public void Measure_UnderAttack_TouchesNothingOutside() =>
        Attack((layer, _, _) => TreeUsage.Measure(layer, CancellationToken.None), grown: true);

    [Fact]
    public void Diff_UnderAttack_ShowsNothingOutside() => Attack(
        (layer, lower, tree) =>
        {
            using var output = new MemoryStream();
            try
            {
                LayerDiffer.Write([DiffBench.Bind(lower)], [DiffBench.Bind(layer)], output, DiffBench.Plain, CancellationToken.None);
            }
            finally
            {
                // No matter how far it came.
                Assert.Equal(-1, output.ToArray().AsSpan().IndexOf("canary"u8));
            }
        },
        grown: true);

    private void Attack(Action<string, string, string> work, bool grown = false)
    {
        var before = Canary();
        var (layer, lower, tree) = (Path.Combine(_work, "layer"), Path.Combine(_work, "lower"), Path.Combine(_work, "tree"));
        var (finished, moves) = (0, 0L);
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var root in new[] { layer, lower, tree })
            {
                Directory.CreateDirectory(root);
            }

            Grow(lower, "below");
            if (grown)
            {
                Grow(layer, "mine");
            }

            TreePlay[] players = [.. Enumerable.Range(0, Players).Select(i => new TreePlay(
                [layer, lower, tree], s_names, [_canary, Path.Combine(_canary, "f"), "../../../../outside", "/"], round * Players + i))];
            try
            {
                // A hang is a failure: to open a fifo would wait for ever.
                var done = Task.Run(() => work(layer, lower, tree), TestContext.Current.CancellationToken);
                Assert.True(done.ContinueWith(static _ => { }, TaskScheduler.Default).Wait(TimeSpan.FromSeconds(WaitSeconds), TestContext.Current.CancellationToken), "it hangs");
                if (done.Exception?.InnerException is { } failure)
                {
                    Assert.True(failure is ImageStoreException, failure.ToString());
                }
                else
                {
                    finished++;
                }
            }
            finally
            {
                foreach (var player in players)
                {
                    player.Dispose();
                    moves += player.Moves;
                }
            }

            foreach (var root in new[] { layer, lower, tree })
            {
                TreeRemover.RemoveTree(root);
            }

            Assert.Equal(before, Canary());
        }

        Assert.True(moves > Rounds, $"only {moves} moves in {Rounds} rounds, of which {finished} were finished");
    }

    // With the time of each file's last change, which nobody can set.
    private string Canary()
    {
        var lines = TreeText.Of(_canary);
        foreach (var path in Directory.EnumerateFileSystemEntries(_canary, "*", SearchOption.AllDirectories).Append(_canary).Order(StringComparer.Ordinal))
        {
            Assert.Equal(0, FileStatus.Read(path, out var status));
            lines += $"{path} {status.ChangeTime.Seconds}.{status.ChangeTime.Nanoseconds} {status.LinkCount}\n";
        }

        return lines;
    }

    private static string Grow(string root, string text = "canary")
    {
        foreach (var folder in new[] { "", "a", "b", "a/a", "a/b", "b/a" })
        {
            Directory.CreateDirectory(Path.Combine(root, folder));
            foreach (var name in new[] { "f", "l" })
            {
                File.WriteAllText(Path.Combine(root, folder, name), text);
                File.SetUnixFileMode(Path.Combine(root, folder, name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
        }

        return root;
    }

    private static byte[] Layer()
    {
        List<byte> layer = [];
        foreach (var folder in new[] { "a", "b", "a/a", "a/b", "b/a" })
        {
            layer.AddRange(RawTar.Pax('x', "SCHILY.xattr.user.a=1"));
            layer.AddRange(RawTar.Entry(folder, '5', [], fields: (100, "0002777"u8.ToArray())));
            layer.AddRange(RawTar.Pax('x', "SCHILY.xattr.user.a=1", "uid=7"));
            layer.AddRange(RawTar.Entry(folder + "/f", '0', "mine"u8.ToArray(), fields: (100, "0006777"u8.ToArray())));
            layer.AddRange(RawTar.Entry(folder + "/l", '1', [], "l"));
            layer.AddRange(RawTar.Entry(folder + "/.wh.b", '0', []));
            layer.AddRange(RawTar.Entry(folder + "/f", '1', [], folder + "/l"));
            layer.AddRange(RawTar.Entry(folder + "/p", '6', []));
        }

        return [.. layer, .. RawTar.End];
    }
}
