using System.Diagnostics;
using System.Formats.Tar;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Tests.Layers;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Erofs;

/// <summary>Stacks of layers by chance give in images what they give in directories: the same tree, or the same refusal.</summary>
public sealed class RandomLayerTests : IDisposable
{
    private const int Layers = 3;
    private const int Entries = 40;
    private static readonly string[] s_names = ["a", "b", "c", "d-", "e.f"];
    private readonly string _work = Directory.CreateTempSubdirectory("random-").FullName;

    public RandomLayerTests() => Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/getfattr"), "needs root and getfattr");

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 15)];

    public void Dispose() => TreeRemover.RemoveTree(_work);

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Apply_StackByChance_IsTheSameInImagesAndDirectories(int seed)
    {
        var random = new Random(seed);
        using var directories = new DirectoryBench();
        using var images = new ImageBench();
        List<string> below = [], imagesBelow = [];
        for (var i = 0; i < Layers; i++)
        {
            var tar = TarBytes.Of([.. Enumerable.Range(0, Entries).Select(_ => Entry(random))]);
            var (plain, plainFault) = Apply(directories, tar, $"directory-{i}", below);
            var (image, imageFault) = Apply(images, tar, $"image-{i}", imagesBelow);

            Assert.Equal(plainFault, imageFault);
            if (plainFault is not null)
            {
                continue;
            }

            Assert.Equal(Listing(plain), Listing(image));
            below.Insert(0, plain);
            imagesBelow.Insert(0, image);
        }
    }

    private (string Directory, string? Fault) Apply(LayerBench bench, byte[] tar, string name, List<string> lowers)
    {
        var directory = Directory.CreateDirectory(Path.Combine(_work, name)).FullName;
        try
        {
            var applied = bench.Apply(new MemoryStream(tar), LayerCompression.None, directory, new LayerLimits());
            bench.Settle(applied, directory, lowers);
            return (directory, null);
        }
        catch (ImageStoreException fault)
        {
            return (directory, $"{fault.Kind}: {fault.Message}");
        }
    }

    private static PaxTarEntry Entry(Random random)
    {
        var path = string.Join('/', Enumerable.Range(0, random.Next(1, 4)).Select(_ => s_names[random.Next(s_names.Length)]));
        var other = string.Join('/', Enumerable.Range(0, random.Next(1, 3)).Select(_ => s_names[random.Next(s_names.Length)]));
        var slash = path.LastIndexOf('/') + 1;
        return random.Next(14) switch
        {
            < 4 => TarBytes.Folder(path, $"SCHILY.xattr.user.{s_names[random.Next(3)]}={random.Next(9)}"),
            < 9 => TarBytes.File(path, new string((char)('a' + random.Next(26)), random.Next(3) switch { 0 => 0, 1 => random.Next(200), _ => random.Next(20_000) })),
            9 => TarBytes.Symlink(path, random.Next(2) == 0 ? other : "/" + other),
            10 => TarBytes.Link(path, other),
            11 => TarBytes.File(path[..slash] + ".wh." + path[slash..]),
            12 => TarBytes.File(path[..slash] + ".wh..wh..opq"),
            _ => new PaxTarEntry(TarEntryType.Fifo, path) { ModificationTime = TarBytes.Time },
        };
    }

    // What a layer says of each name, overlayfs' marks among it; not when whiteouts were made, which nobody sees.
    private static string Listing(string directory)
    {
        using var find = Process.Start(new ProcessStartInfo("sh", [
            "-c",
            """
            cd "$1" || exit
            find . \( -type c -printf '%P|whiteout\n' \) -o \( -type d -printf '%P|%y|%m|%U:%G|%T@\n' \) -o -printf '%P|%y|%m|%U:%G|%T@|%l|%n\n'
            find . -type f -exec md5sum {} +
            getfattr -RPhd -m 'user|overlay' . | awk '/^# file/ { file = $3 } /=/ { print file, $0 }'
            """,
            "sh", directory]) { RedirectStandardOutput = true })!;
        var text = find.StandardOutput.ReadToEnd();
        find.WaitForExit();
        Assert.Equal(0, find.ExitCode);
        Assert.NotEmpty(text);
        return string.Join('\n', text.Split('\n').Order(StringComparer.Ordinal));
    }
}
