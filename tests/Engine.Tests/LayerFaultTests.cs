using System.Diagnostics;
using System.Formats.Tar;
using ImageStore.Engine.Tests.Support;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Tests;

/// <summary>Layers and disks that are at fault: the blob may stay, the snapshot and the image must not.</summary>
public sealed class LayerFaultTests : PullTest
{
    [Fact]
    public async Task Pull_DiffIdDiffers_NamesBoth()
    {
        var tar = ImageBuilder.Tar("a", 1000);
        var promised = Digest.Compute([1]);
        Registry.AddImage("latest", [Registry.AddBlob(ImageBuilder.Repository, ImageBuilder.Gzip(tar))], [promised]);

        var failure = await FailAsync();

        Assert.Equal(ErrorKind.CorruptData, failure.Kind);
        Assert.Contains(promised.ToString(), failure.Message, StringComparison.Ordinal);
        Assert.Contains(Digest.Compute(tar).ToString(), failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("crc")]
    [InlineData("cut")]
    [InlineData("garbage after")]
    [InlineData("no tar")]
    public async Task Pull_LayerIsDamaged_CorruptData(string damage)
    {
        var tar = damage == "no tar" ? new byte[700] : ImageBuilder.Tar("a", 5000);
        if (damage == "no tar")
        {
            Array.Fill(tar, (byte)'x');
        }

        var gzip = ImageBuilder.Gzip(tar);
        byte[] bytes = damage switch
        {
            "crc" => [.. gzip[..^8], (byte)~gzip[^8], .. gzip[^7..]],
            "cut" => gzip[..^100],
            "garbage after" => [.. gzip, .. "garbage"u8],
            _ => gzip,
        };
        Registry.AddImage("latest", [Registry.AddBlob(ImageBuilder.Repository, bytes)], [Digest.Compute(tar)]);

        Assert.Equal(ErrorKind.CorruptData, (await FailAsync()).Kind);
    }

    [Theory]
    [InlineData(new byte[] { 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0 }, "xz")]
    [InlineData(new byte[] { 0x42, 0x5a, 0x68, 0x39, 0x31 }, "bzip2")]
    public async Task Pull_LayerInAnotherCompression_NamesIt(byte[] head, string compression)
    {
        Registry.AddImage("latest", [Registry.AddBlob(ImageBuilder.Repository, head)], [Digest.Compute(head)]);

        var failure = await FailAsync();

        Assert.Equal(ErrorKind.Unsupported, failure.Kind);
        Assert.Contains(compression, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../../etc/evil")]
    [InlineData(".wh..")]
    public async Task Pull_PathLeavesTheRoot_IsRefused(string name)
    {
        using var bytes = new MemoryStream();
        using (var tar = new TarWriter(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream([1]) });
        }

        Registry.AddImage("latest", bytes.ToArray());

        var failure = await FailAsync();

        Assert.Equal(ErrorKind.CorruptData, failure.Kind);
        Assert.Contains(name, failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Root, "evil", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Pull_FewerDiffIdsThanLayers_CorruptData()
    {
        var tar = ImageBuilder.Tar("a", 1000);
        var layer = Registry.AddBlob(ImageBuilder.Repository, ImageBuilder.Gzip(tar));
        Registry.AddImage("latest", [layer, layer], [Digest.Compute(tar)]);

        Assert.Equal(ErrorKind.CorruptData, (await FailAsync()).Kind);
    }

    [Fact]
    public async Task Pull_DiskIsFull_SaysSoAndARepeatWithRoomWorks()
    {
        Directory.CreateDirectory(Root);
        Mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", Root);
        try
        {
            Registry.AddImage("latest", ImageBuilder.Tar("a", 1_500_000), ImageBuilder.Tar("bb", 1_500_000));

            var failure = await Assert.ThrowsAsync<ImageStoreException>(() => PullAsync());

            Assert.Equal(ErrorKind.NoSpace, failure.Kind);
            Assert.NotNull(failure.Remedy);

            // Where not even a row fits, what was begun is taken away by the next opening.
            Mount("-o", "remount,size=20m", Root);
            await using (var engine = await OpenAsync())
            {
                await AssertWholeAsync(engine);
                Assert.Empty(engine.Images.List());
                Assert.Empty(await Snapshots(engine));
            }

            Assert.NotNull((await PullAsync()).ChainId);
        }
        finally
        {
            Run("umount", "-l", Root);
        }
    }

    [Fact]
    public async Task Pull_ReadOnlyRoot_SaysSo()
    {
        Directory.CreateDirectory(Root);
        Mount("-t", "tmpfs", "-o", "ro", "tmpfs", Root);
        try
        {
            var failure = await Assert.ThrowsAsync<ImageStoreException>(() => PullAsync());

            Assert.Contains(Root, failure.Message, StringComparison.Ordinal);
            Assert.Contains("ead-only", failure.Message, StringComparison.Ordinal);
            Assert.NotNull(failure.Remedy);
        }
        finally
        {
            Run("umount", "-l", Root);
        }
    }

    [Fact]
    public async Task Open_RootInUse_NamesWhoHasIt()
    {
        await using var first = await OpenAsync();

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => OpenAsync());

        Assert.Contains(Root, failure.Message, StringComparison.Ordinal);
        Assert.Contains(Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture), failure.Message, StringComparison.Ordinal);
    }

    private static void Mount(params string[] arguments)
    {
        if (Run("mount", arguments) != 0)
        {
            Assert.Skip("file systems cannot be mounted here");
        }
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        return process.ExitCode;
    }
}
