using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Distribution.Archives;

/// <summary>Opens an archive of images, whatever kind it is.</summary>
public static class ImageArchive
{
    /// <summary>Opens the archive at <paramref name="path"/>, or the one that <paramref name="standardInput"/> brings where the path is <c>-</c>.</summary>
    /// <param name="path">A file, plain or compressed with gzip, zstd, xz or bzip2.</param>
    /// <param name="standardInput">Read to its end when the path is <c>-</c>.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="ImageStoreException">It is missing (<see cref="ErrorKind.NotFound"/>), or no archive of images
    /// (<see cref="ErrorKind.CorruptData"/>).</exception>
    public static async Task<IImageCollection> OpenAsync(string path, Stream? standardInput, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path == "-" && standardInput is not null
            ? await ReceiveAsync(standardInput, "standard input", null, cancellationToken).ConfigureAwait(false)
            : await OpenAsync(await ArchiveFile.OpenAsync(path, cancellationToken).ConfigureAwait(false), path, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens an archive that arrives, once all of it is there.</summary>
    /// <param name="input">Read to its end.</param>
    /// <param name="name">What it is called in errors.</param>
    /// <param name="grown">Is told how many bytes are there by now, without compression; what it throws ends the reading.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="ImageStoreException">It is no archive of images (<see cref="ErrorKind.CorruptData"/>).</exception>
    public static async Task<IImageCollection> ReceiveAsync(Stream input, string name, Action<long>? grown, CancellationToken cancellationToken) =>
        await OpenAsync(await ArchiveFile.SpoolAsync(input, name, grown, cancellationToken).ConfigureAwait(false), name, cancellationToken).ConfigureAwait(false);

    private static async Task<IImageCollection> OpenAsync(SafeFileHandle file, string name, CancellationToken cancellationToken)
    {
        var files = await TarFiles.IndexAsync(file, name, cancellationToken).ConfigureAwait(false);
        try
        {
            // docker writes both since version 25; the layout keeps exact digests.
            return files.Length(OciLayoutSource.IndexFile) is not null && files.Length(OciLayoutSource.MarkerFile) is not null
                ? OciLayoutSource.Open(files, name)
                : await DockerSaveSource.OpenAsync(files, name, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }
}
