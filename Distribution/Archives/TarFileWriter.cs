using System.Globalization;
using System.Text;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>Writes files into a tar, the same bytes each time: no owner, no time, mode 0644.</summary>
/// <remarks>POSIX ustar; a long name or a size over 8 GiB goes into a PAX header before it.</remarks>
internal sealed class TarFileWriter(Stream output)
{
    private const int Block = 512;
    private const int MaxName = 100;
    private const long MaxOctalSize = 0x1_FFFF_FFFF; // eleven octal digits

    /// <summary>Writes bytes that are at hand.</summary>
    public async Task WriteAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await HeaderAsync(name, bytes.Length, cancellationToken).ConfigureAwait(false);
        await output.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        await PadAsync(bytes.Length, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a blob, and verifies it on the way.</summary>
    /// <exception cref="ImageStoreException">The bytes are others; the tar is of no use then.</exception>
    public async Task WriteAsync(string name, Descriptor blob, Stream source, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        await HeaderAsync(name, blob.Size, cancellationToken).ConfigureAwait(false);
        await VerifyingCopy.RunAsync(source, output, blob, OciLayoutTarget.DamagedSource, progress, cancellationToken).ConfigureAwait(false);
        await PadAsync(blob.Size, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes what ends a tar.</summary>
    public async Task EndAsync(CancellationToken cancellationToken) =>
        await output.WriteAsync(new byte[2 * Block], cancellationToken).ConfigureAwait(false);

    private async Task HeaderAsync(string name, long size, CancellationToken cancellationToken)
    {
        var records = (name.Length > MaxName ? Record("path", name) : string.Empty)
            + (size > MaxOctalSize ? Record("size", size.ToString(CultureInfo.InvariantCulture)) : string.Empty);
        if (records.Length > 0)
        {
            var bytes = Encoding.UTF8.GetBytes(records);
            await output.WriteAsync(Header("pax_header", bytes.Length, 'x'), cancellationToken).ConfigureAwait(false);
            await output.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
            await PadAsync(bytes.Length, cancellationToken).ConfigureAwait(false);
        }

        await output.WriteAsync(
            Header(name[..Math.Min(name.Length, MaxName)], Math.Min(size, MaxOctalSize), '0'), cancellationToken).ConfigureAwait(false);
    }

    private static byte[] Header(string name, long size, char type)
    {
        var header = new byte[Block];
        Put(0, name);
        Put(100, "0000644\0");
        Put(108, "0000000\0");
        Put(116, "0000000\0");
        Put(124, Convert.ToString(size, 8).PadLeft(11, '0') + '\0');
        Put(136, "00000000000\0");
        Put(148, "        ");
        Put(156, type.ToString());
        Put(257, "ustar\0" + "00");
        Put(148, Convert.ToString(header.Sum(one => one), 8).PadLeft(6, '0') + "\0 ");
        return header;

        void Put(int at, string text) => Encoding.ASCII.GetBytes(text, header.AsSpan(at));
    }

    // A record's length counts its own digits.
    private static string Record(string key, string value)
    {
        var rest = $" {key}={value}\n";
        var length = rest.Length + 1;
        while ($"{length}{rest}".Length != length)
        {
            length++;
        }

        return $"{length}{rest}";
    }

    private async Task PadAsync(long size, CancellationToken cancellationToken)
    {
        var rest = (int)(size % Block);
        if (rest > 0)
        {
            await output.WriteAsync(new byte[Block - rest], cancellationToken).ConfigureAwait(false);
        }
    }
}
