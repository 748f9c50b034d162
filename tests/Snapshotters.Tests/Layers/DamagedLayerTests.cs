using System.Formats.Tar;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>Whatever the bytes are, a layer is applied or refused with one error, inside its directory.</summary>
public sealed class DamagedLayerTests : IDisposable
{
    private const int Cases = 400;
    private static readonly LayerFormat s_format = new("trusted.overlay.opaque");

    private readonly string _work = Directory.CreateTempSubdirectory("damaged-").FullName;

    public DamagedLayerTests() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");

    public void Dispose() => TreeRemover.RemoveTree(_work);

    [Fact]
    public void Apply_CutAnywhere_EndsOrFailsOnce()
    {
        var whole = Sample();
        var refused = 0;
        for (var length = 0; length < whole.Length; length += 256)
        {
            refused += TryApply(whole[..length]) ? 0 : 1;
        }

        Assert.True(refused > whole.Length / 512 / 2);
    }

    [Fact]
    public void Apply_BytesChangedAnywhere_EndsOrFailsOnce()
    {
        var whole = Sample();
        Assert.True(TryApply(whole));
        const int Seed = 7;
        var random = new Random(Seed);
        var refused = 0;
        for (var i = 0; i < Cases; i++)
        {
            var bytes = whole.ToArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            Mend(bytes);
            refused += TryApply(bytes) ? 0 : 1;
        }

        Assert.InRange(refused, 1, Cases - 1);
    }

    private bool TryApply(byte[] bytes)
    {
        var target = Directory.CreateDirectory(Path.Combine(_work, "in")).FullName;
        try
        {
            LayerApplier.Apply(
                new MemoryStream(bytes), LayerCompression.None, target, s_format, new LayerLimits(), null, CancellationToken.None);
            return true;
        }
        catch (ImageStoreException e)
        {
            Assert.True(e.Kind != ErrorKind.Internal, e.Message);
            return false;
        }
        finally
        {
            Assert.Equal(["in"], Directory.GetFileSystemEntries(_work).Select(Path.GetFileName));
            TreeRemover.RemoveTree(target);
        }
    }

    // A wrong checksum alone would end every case at the first header.
    private static void Mend(byte[] bytes)
    {
        for (var at = 0; at + 512 <= bytes.Length; at += 512)
        {
            var header = bytes.AsSpan(at, 512);
            if (header.Slice(257, 5).SequenceEqual("ustar"u8))
            {
                header.Slice(148, 8).Fill((byte)' ');
                var sum = 0;
                foreach (var b in header)
                {
                    sum += b;
                }

                System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0", header[148..]);
            }
        }
    }

    private static byte[] Sample()
    {
        using var bytes = new MemoryStream();
        using (var tar = new TarWriter(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "d/"));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "d/f", [new("SCHILY.xattr.user.a", "b")])
            {
                DataStream = new MemoryStream(new byte[700]),
            });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "l") { LinkName = "../../d" });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "l/g") { DataStream = new MemoryStream([1]) });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "h") { LinkName = "d/f" });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "d/.wh.f"));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.CharacterDevice, "null") { DeviceMajor = 1, DeviceMinor = 3 });
            tar.WriteEntry(new GnuTarEntry(TarEntryType.RegularFile, $"{new string('n', 200)}/{new string('m', 100)}") { DataStream = new MemoryStream(new byte[9]) });
        }

        return bytes.ToArray();
    }
}
