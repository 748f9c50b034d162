using ImageStore.Snapshotters.Erofs;
using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Snapshotters.Tests.Layers;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Erofs;

/// <summary>Images by themselves, mounted by nobody.</summary>
public sealed class ImageBytesTests : IDisposable
{
    private const int Mutations = 3000;
    private const int Seed = 5;
    private readonly string _work = Directory.CreateTempSubdirectory("image-").FullName;

    public void Dispose() => TreeRemover.RemoveTree(_work);

    [Fact]
    public void Apply_TheSameLayerTwice_GivesTheSameBytes()
    {
        var (one, other) = (Settled("one"), Settled("other"));

        Assert.Equal(File.ReadAllBytes(one), File.ReadAllBytes(other));
        Assert.NotEqual(UInt128.Zero, Super(one).Id);
        Assert.NotEqual(Super(one).Id, Super(Image("different", TarBytes.File("f", "x"))).Id);
    }

    [Fact]
    public void Apply_SparseFile_TakesNoMoreOfTheDiskThanItsData()
    {
        const long Size = 1L << 36;
        var path = Image("sparse", [.. RawTar.Pax(
            'x', $"GNU.sparse.major=0", $"GNU.sparse.map={Size - 8192},4", $"GNU.sparse.size={Size}"), .. RawTar.Entry("f", '0', "data"u8.ToArray()), .. RawTar.End]);

        Assert.InRange(TreeUsage.Own(path), 1, 1 << 18);
        using var reader = ImageReader.Open(path);
        var node = reader.Find("f")!.Value;
        var bytes = new byte[8192];
        reader.ReadData(node, Size - bytes.Length, bytes);
        Assert.Equal("data"u8.ToArray(), bytes[..4]);
        Assert.True(bytes.AsSpan(4).IndexOfAnyExcept((byte)0) < 0);
        Assert.Single(reader.Segments(node));
        Assert.Equal(Size, node.Inode.Size);
    }

    [Fact]
    public void Apply_ReplacedAndRemovedFiles_LeaveNoInodeBehindInTheCount()
    {
        var path = Image("replaced", TarBytes.File("f", "one"), TarBytes.File("f", "two"), TarBytes.Link("g", "f"), TarBytes.Folder("f"));

        // The root, the directory, and the file whose other name is left.
        Assert.Equal(3, Super(path).Inodes);
    }

    [Fact]
    public void Read_DamagedImage_IsAnErrorOrAnImage()
    {
        var whole = File.ReadAllBytes(Settled("whole"));
        var path = Path.Combine(_work, "damaged");
        var random = new Random(Seed);
        var damaged = 0;
        for (var i = 0; i < Mutations; i++)
        {
            var bytes = (byte[])whole.Clone();
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                // The first block has a checksum, so what comes behind it is what can go wrong unseen.
                bytes[random.Next(ErofsFormat.BlockBytes, bytes.Length)] = (byte)random.Next(256);
            }

            File.WriteAllBytes(path, random.Next(20) == 0 ? bytes[..random.Next(bytes.Length)] : bytes);
            try
            {
                ReadAll(path);
            }
            catch (ImageStoreException fault)
            {
                Assert.True(fault.Kind is ErrorKind.CorruptData or ErrorKind.LimitExceeded, fault.Message);
                damaged++;
            }
        }

        Assert.InRange(damaged, 1, Mutations - 1);
    }

    [Fact]
    public void Open_ChangedSuperblock_CorruptData()
    {
        var path = Image("super", TarBytes.File("f", "x"));
        var bytes = File.ReadAllBytes(path);
        bytes[1024 + 36] ^= 1;
        File.WriteAllBytes(path, bytes);

        Assert.Equal(ErrorKind.CorruptData, Assert.Throws<ImageStoreException>(() => ImageReader.Open(path)).Kind);
    }

    private static Superblock Super(string path)
    {
        using var reader = ImageReader.Open(path);
        return reader.Super;
    }

    private static void ReadAll(string path)
    {
        using var reader = ImageReader.Open(path);
        _ = ImageTreeLoader.Load(reader, CancellationToken.None);
        foreach (var entry in reader.Entries(reader.Node(ErofsFormat.RootNumber)))
        {
            var node = reader.Node(entry.Number);
            _ = reader.Xattrs(node);
            foreach (var (offset, length) in node.Inode.IsDirectory ? [] : reader.Segments(node))
            {
                reader.ReadData(node, offset, new byte[(int)Math.Min(length, 1 << 16)]);
            }
        }
    }

    private string Settled(string name)
    {
        var lower = Image(name + "-lower", TarBytes.Folder("", "SCHILY.xattr.user.r=1"), TarBytes.File("t", "below"), TarBytes.Folder("d", "SCHILY.xattr.user.a=1"));
        var tar = TarBytes.Of(
            TarBytes.File("d/f", new string('x', 9000), "SCHILY.xattr.user.b=2"), TarBytes.Link("l", "t"), TarBytes.Symlink("s", "d"),
            TarBytes.File(".wh.gone"), TarBytes.File("e/.wh..wh..opq"), TarBytes.File("e/g", new string('y', 100)), TarBytes.Link("h", "e/g"));
        var path = Path.Combine(_work, name);
        var applied = ImageApplier.Apply(new MemoryStream(tar), LayerCompression.None, path, new LayerLimits(), null, CancellationToken.None);
        ImageSettler.Settle(applied, path, [lower], new LayerLimits(), CancellationToken.None);
        return path;
    }

    private string Image(string name, params System.Formats.Tar.TarEntry[] entries) => Image(name, TarBytes.Of(entries));

    private string Image(string name, byte[] tar)
    {
        var path = Path.Combine(_work, name);
        ImageApplier.Apply(new MemoryStream(tar), LayerCompression.None, path, new LayerLimits(), null, CancellationToken.None);
        return path;
    }
}
