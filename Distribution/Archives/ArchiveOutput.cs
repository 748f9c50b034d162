using System.IO.Compression;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using ZstdSharp;

namespace ImageStore.Distribution.Archives;

/// <summary>Where an archive is written: a file that appears when it is complete, or a stream.</summary>
internal sealed class ArchiveOutput : IAsyncDisposable
{
    private const int BufferBytes = 256 * 1024;
    private const int ZstdLevel = 3;

    private readonly string? _path;
    private readonly string? _partial;
    private readonly Stream _bottom;
    private readonly bool _owned;

    private ArchiveOutput(string? path, string? partial, Stream bottom, bool owned)
    {
        (_path, _partial, _bottom, _owned) = (path, partial, bottom, owned);
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

        var partial = Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}.partial");
        try
        {
            return new ArchiveOutput(
                full,
                partial,
                new FileStream(partial, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes, FileOptions.Asynchronous),
                owned: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Writing {Printable.Of(path)}");
        }
    }

    public static ArchiveOutput ToStream(Stream stream) => new(null, null, stream, owned: false);

    /// <summary>The place that <see cref="GoBack"/> may return to; null where what is written cannot be taken back.</summary>
    public long? Mark() => Stream == _bottom && _owned ? _bottom.Position : null;

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
        if (_bottom is FileStream file && _path is not null)
        {
            file.Flush(flushToDisk: true);
            await file.DisposeAsync().ConfigureAwait(false);
            File.Move(_partial!, _path, overwrite: true);
            KernelFile.SyncDirectory(Path.GetDirectoryName(_path)!);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_owned)
        {
            await _bottom.DisposeAsync().ConfigureAwait(false);
        }

        if (_partial is not null)
        {
            File.Delete(_partial);
        }
    }

    private static Stream Compressed(string? path, Stream bottom) => Path.GetExtension(path) switch
    {
        ".gz" or ".tgz" => new GZipStream(bottom, CompressionLevel.Fastest, leaveOpen: true),
        ".zst" => new CompressionStream(bottom, ZstdLevel, leaveOpen: true),
        _ => bottom,
    };
}
