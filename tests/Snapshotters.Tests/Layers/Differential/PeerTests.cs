using System.Globalization;
using ImageStore.Integration.Tests.Support;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Tests.Layers.Diff;

namespace ImageStore.Snapshotters.Tests.Layers.Differential;

/// <summary>The trees that <see cref="StackTests"/> asks of us are those that umoci and containerd make of the same layers.</summary>
/// <remarks>
/// Left out of these stacks is what the peers are known to do otherwise; each is what the specification or POSIX says, and is in StackTests:
/// times before 1970 (containerd sets them to 1970), sparse files in GNU's old form (Go's reader names a type that neither peer takes),
/// whiteouts of a name that their own layer made (both remove it, OCI says that they are for lower layers),
/// an opaque root, global headers (umoci takes no such entry), attributes without a value (umoci reads them as none),
/// trusted attributes (containerd sets none), a directory that the same layer replaces by a link (containerd sets its time through the link),
/// directories without an entry that something is put into (containerd leaves the time when it did that),
/// a directory's entry after what is in it (its metadata then depends on what stands between), doubled slashes, bytes after the archive.
/// The root's own line is not compared: containerd's snapshots have their root's time from when they were made.
/// PEER_ROUNDS has it do more than the usual few, PEER_SEED begins elsewhere.
/// </remarks>
public sealed class PeerTests : IDisposable
{
    private const int UsualRounds = 6;
    private readonly string _work = Directory.CreateTempSubdirectory("peers-").FullName;

    public PeerTests() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");

    private static int Rounds => Number("PEER_ROUNDS") ?? UsualRounds;

    private static int FirstSeed => Number("PEER_SEED") ?? 1;

    public void Dispose() => TreeRemover.RemoveTree(_work);

    [Fact]
    public async Task Umoci_Unpack_MakesTheModelsTree()
    {
        Run.Need("umoci");
        await ExploreAsync(async (stack, layout) =>
        {
            var bundle = Path.Combine(_work, "bundle");
            await Run.AsyncOk("umoci", "unpack", "--image", $"{layout}:latest", bundle);
            var text = TreeText.Of(Path.Combine(bundle, "rootfs"));
            TreeRemover.RemoveTree(bundle);
            return text;
        });
    }

    [Fact]
    public async Task Containerd_Unpack_MakesTheModelsTree()
    {
        Run.Need("containerd", "ctr", "tar");
        await using var containerd = await Containerd.StartAsync(Path.Combine(_work, "containerd"));
        await ExploreAsync(async (stack, layout) =>
        {
            var (archive, name, target) = (Path.Combine(_work, "image.tar"), $"example.org/stack:{stack.Seed}", Path.Combine(_work, "mounted"));
            await Run.AsyncOk("tar", "-cf", archive, "-C", layout, ".");
            await containerd.CtrAsync("image", "import", "--index-name", name, archive);
            Directory.CreateDirectory(target);
            await containerd.CtrAsync("image", "mount", name, target);
            try
            {
                return TreeText.Of(target);
            }
            finally
            {
                await containerd.CtrAsync("image", "unmount", "--rm", target);
                await containerd.CtrAsync("image", "rm", "--sync", name);
            }
        });
    }

    private async Task ExploreAsync(Func<Stack, string, Task<string>> unpack)
    {
        for (var seed = FirstSeed; seed < FirstSeed + Rounds; seed++)
        {
            var stack = Stack.Random(seed, isTame: true);
            if (await FaultAsync(stack, unpack) is not { } fault)
            {
                continue;
            }

            var smallest = stack.Shrunk(candidate => FaultAsync(candidate, unpack).GetAwaiter().GetResult() is not null);
            Assert.Fail($"{fault}\nshrunk: {smallest}\n{await FaultAsync(smallest, unpack)}");
        }
    }

    private async Task<string?> FaultAsync(Stack stack, Func<Stack, string, Task<string>> unpack)
    {
        var layout = Path.Combine(_work, "layout");
        Directory.CreateDirectory(layout);
        try
        {
            var written = stack.Write().ToList();
            Layouts.Write(layout, [.. written.Select((layer, i) => i % 2 == 0 ? Layouts.Gzip(layer.Archive) : layer.Archive.AsLayer())]);
            return StackTests.Difference(WithoutRoot(written[^1].Tree.ToText()), WithoutRoot(await unpack(stack, layout)));
        }
        catch (Xunit.Sdk.TrueException failure)
        {
            return failure.Message;
        }
        finally
        {
            TreeRemover.RemoveTree(layout);
            TreeRemover.RemoveTree(Path.Combine(_work, "bundle"));
        }
    }

    private static string WithoutRoot(string tree) => tree[(tree.IndexOf('\n', StringComparison.Ordinal) + 1)..];

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}
