using System.Security.Cryptography;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests;

/// <summary>A pull that is killed leaves nothing wrong behind, and its repeat succeeds.</summary>
[Collection(RegistryGroup.Name)]
public sealed class KillTests(RegistryFixture registry, ITestOutputHelper output) : IDisposable
{
    private const int Kills = 200;
    private const int PullsPerRoot = 10;

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-kill-");

    public void Dispose() => _work.Delete(recursive: true);

    [Fact]
    public async Task Pull_KilledAtRandomMoments_NeverCommitsWrongBytesAndRepeats()
    {
        Run.NeedRoot();
        registry.Need();
        var layout = Layouts.Random(In("layout"), 4, 60, 40_000, seed: 2);
        var reference = await registry.PushAsync(layout, "kill");
        var random = new Random(3);
        var (killed, finished) = (0, 0);
        SortedDictionary<string, string>? expected = null;
        for (var round = 0; killed < Kills; round++)
        {
            var cli = new ImageStoreCli(In($"root{round}"));
            for (var attempt = 0; attempt < PullsPerRoot && killed < Kills; attempt++)
            {
                using var process = cli.Start("pull", reference);
                await Task.Delay(random.Next(5, 160));
                if (process.HasExited)
                {
                    finished++;
                    break;
                }

                process.Kill();
                await process.WaitForExitAsync();
                killed++;
                CheckBlobs(cli.Root);
            }

            await cli.OkAsync("pull", reference);
            CheckBlobs(cli.Root);
            Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(cli.Root, "content/ingest")));
            var tree = await Trees.MountedAsync(cli, reference, In("mnt"));
            Trees.AssertEqual(expected ??= tree, tree);
            Assert.True(tree.Count > 240);
            Directory.Delete(cli.Root, recursive: true);
        }

        output.WriteLine($"{killed} kills, {finished} pulls that were faster than the kill");
    }

    private static void CheckBlobs(string root)
    {
        var blobs = Path.Combine(root, "content/blobs/sha256");
        foreach (var blob in Directory.Exists(blobs) ? Directory.EnumerateFiles(blobs) : [])
        {
            using var file = File.OpenRead(blob);
            Assert.Equal(Path.GetFileName(blob), Convert.ToHexStringLower(SHA256.HashData(file)));
        }
    }

    private string In(string name) => Path.Combine(_work.FullName, name);
}
