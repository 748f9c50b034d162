using System.Buffers;
using System.IO.Compression;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;
using SharpCompress.Compressors.BZip2;
using SharpCompress.Compressors.Xz;
using ZstdSharp;

namespace ImageStore.Distribution.Archives;

/// <summary>Makes a plain tar that can be read at random out of a file or stream, whatever it is compressed with.</summary>
/// <remarks>A plain tar in a file is used in place. All else goes, without compression, into a temporary file that has no
/// name, so that nothing is left of it however the process ends.</remarks>
internal static class ArchiveFile
{
    private const int HeadBytes = 6;
    private const int BufferBytes = 256 * 1024;

    // What nobody archives: it stops a bomb before it fills any disk.
    private const long MaxSpooledBytes = 4L << 40;

    /// <summary>Opens the file at <paramref name="path"/>.</summary>
    public static async Task<SafeFileHandle> OpenAsync(string path, CancellationToken cancellationToken)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.Asynchronous);
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ImageStoreException(ErrorKind.NotFound, $"{Printable.Of(path)} is not there.", "Check the path.", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Directory.Exists(path)
                ? new ImageStoreException(
                    ErrorKind.InvalidArgument, $"{Printable.Of(path)} is a folder, not a file.", $"For an OCI layout write oci:{Printable.Of(path)}.")
                : IoErrors.From(failure, $"Reading {Printable.Of(path)}");
        }

        await using var opened = stream.ConfigureAwait(false);
        if (stream.CanSeek)
        {
            var head = new byte[HeadBytes];
            var count = await stream.ReadAtLeastAsync(head, HeadBytes, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            stream.Position = 0;
            if (count > 0 && Decompressor(head) is null)
            {
                return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
            }
        }

        return await SpoolAsync(stream, path, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads <paramref name="source"/> to its end into a file without a name.</summary>
    public static async Task<SafeFileHandle> SpoolAsync(Stream source, string name, Action<long>? grown, CancellationToken cancellationToken)
    {
        var head = new byte[HeadBytes];
        var count = await source.ReadAtLeastAsync(head, HeadBytes, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (count == 0)
        {
            throw TarFiles.NotAnArchive(name, "it is empty");
        }

        var whole = new PrefixedStream(head.AsMemory(0, count), source);
        var file = Temporary();
        try
        {
            var plain = Decompressor(head) is { } open ? open(whole) : whole;
            await using var opened = plain.ConfigureAwait(false);
            await CopyAsync(plain, file, name, grown, cancellationToken).ConfigureAwait(false);
            return file;
        }
        catch (Exception failure) when (failure is not (OperationCanceledException or ImageStoreException))
        {
            file.Dispose();

            // The libraries throw whatever they please at damaged input; only the disk's own failures are told apart.
            throw failure is IOException && IoErrors.From(failure, "The temporary file") is { Kind: ErrorKind.NoSpace } full
                ? full
                : TarFiles.NotAnArchive(name, $"its compression is damaged or cut off ({Printable.Of(failure.Message)})", failure);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static Func<Stream, Stream>? Decompressor(ReadOnlySpan<byte> head) => head switch
    {
        [0x1F, 0x8B, ..] => static source => new GZipStream(source, CompressionMode.Decompress),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => static source => new DecompressionStream(source),
        [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => static source => new XZStream(source),
        [(byte)'B', (byte)'Z', (byte)'h', ..] => static source =>
            BZip2Stream.Create(source, SharpCompress.Compressors.CompressionMode.Decompress, decompressConcatenated: true),
        _ => null,
    };

    private static async Task CopyAsync(Stream source, SafeFileHandle file, string name, Action<long>? grown, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            long position = 0;
            int count;
            while ((count = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                grown?.Invoke(position + count);
                await RandomAccess.WriteAsync(file, buffer.AsMemory(0, count), position, cancellationToken).ConfigureAwait(false);
                position += count;
                if (position > MaxSpooledBytes)
                {
                    throw new ImageStoreException(
                        ErrorKind.LimitExceeded, $"{Printable.Of(name)} unpacks to more than {MaxSpooledBytes} bytes.");
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>A file that goes when it is closed, on a disk rather than in memory.</summary>
    internal static SafeFileHandle Temporary()
    {
        var directory = Environment.GetEnvironmentVariable("TMPDIR") is { Length: > 0 } chosen ? chosen : "/var/tmp";
        var path = Path.Combine(directory, $"imagestore-{Guid.NewGuid():N}");
        try
        {
            var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.Asynchronous);
            File.Delete(path);
            return file;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"A temporary file in {Printable.Of(directory)}");
        }
    }
}
