using System.IO.Compression;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ZstdSharp;

namespace ImageStore.Distribution.Archives;

/// <summary>Where an archive is written: a file that appears when it is complete, or a stream.</summary>
internal sealed class ArchiveOutput : IDisposable
{
    private const int ZstdLevel = 3;

    private readonly PendingFile? _file;
    private readonly Stream _bottom;

    private ArchiveOutput(PendingFile? file, Stream bottom, string? path)
    {
        (_file, _bottom) = (file, bottom);
        Stream = Compressed(path, bottom);
    }

    public Stream Stream { get; }

    /// <summary>Opens <paramref name="path"/>; one that ends with <c>.gz</c>, <c>.tgz</c> or <c>.zst</c> is compressed so.</summary>
    /// <exception cref="ImageStoreException">It cannot be written.</exception>
    public static ArchiveOutput ToFile(string path)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"{Printable.Of(path)} is a folder; an archive is a file.", "Name the file in it.");
        }

        var file = PendingFile.Create(full, WholeFile.Public);
        return new ArchiveOutput(file, file.Stream, full);
    }

    public static ArchiveOutput ToStream(Stream stream) => new(null, stream, null);

    /// <summary>The place that <see cref="GoBack"/> may return to; null where what is written cannot be taken back.</summary>
    public long? Mark() => Stream == _bottom && _file is not null ? _bottom.Position : null;

    /// <summary>Takes back all that was written since <paramref name="mark"/>.</summary>
    public bool GoBack(long? mark)
    {
        if (mark is not { } position)
        {
            return false;
        }

        _bottom.SetLength(position);
        _bottom.Position = position;
        return true;
    }

    /// <summary>Ends the writing: a file is on disk under its name afterwards.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (Stream != _bottom)
        {
            await Stream.DisposeAsync().ConfigureAwait(false);
        }

        await _bottom.FlushAsync(cancellationToken).ConfigureAwait(false);
        _file?.Commit();
    }

    public void Dispose() => _file?.Dispose();

    private static Stream Compressed(string? path, Stream bottom) => Path.GetExtension(path) switch
    {
        ".gz" or ".tgz" => new GZipStream(bottom, CompressionLevel.Fastest, leaveOpen: true),
        ".zst" => new CompressionStream(bottom, ZstdLevel, leaveOpen: true),
        _ => bottom,
    };
}
