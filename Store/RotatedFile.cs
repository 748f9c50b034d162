using System.Globalization;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store;

/// <summary>A file that lines are appended to. A full one gets the number 1, those before it the next ones, and the oldest goes.</summary>
/// <remarks>Only the owner reads it. A line is in it whole or not at all: what a disk took of one before it was full is cut off again, and one
/// that a kill cut short is ended before the next. One caller at a time, and one process.</remarks>
public sealed class RotatedFile : IDisposable
{
    private const UnixFileMode PrivateFolder = WholeFile.Private | UnixFileMode.UserExecute;
    private const byte LineEnd = (byte)'\n';

    private readonly string _path;
    private readonly long _maxBytes;
    private readonly int _kept;
    private SafeFileHandle? _file;

    private RotatedFile(string path, long maxBytes, int kept) => (_path, _maxBytes, _kept) = (path, maxBytes, kept);

    /// <summary>Opens the file, or makes it, and its folder if only that is missing.</summary>
    /// <param name="path">The file; a link is refused.</param>
    /// <param name="maxBytes">What it may hold.</param>
    /// <param name="kept">How many full ones are kept.</param>
    /// <exception cref="ImageStoreException">It cannot be opened, or is no regular file.</exception>
    public static RotatedFile Open(string path, long maxBytes, int kept)
    {
        ArgumentNullException.ThrowIfNull(path);
        var opened = new RotatedFile(Path.GetFullPath(path), maxBytes, kept);
        try
        {
            var folder = Path.GetDirectoryName(opened._path)!;
            if (!Directory.Exists(folder) && Directory.Exists(Path.GetDirectoryName(folder)))
            {
                Directory.CreateDirectory(folder, PrivateFolder);
            }

            opened._file = opened.OpenFile();
            return opened;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Opening {Printable.Of(path)}");
        }
    }

    /// <summary>Appends a line.</summary>
    /// <param name="line">With its end.</param>
    /// <exception cref="ImageStoreException">It cannot be written, and nothing of it is there.</exception>
    public void Append(ReadOnlySpan<byte> line)
    {
        try
        {
            if (_file is null || !File.Exists(_path))
            {
                Reopen();
            }

            if (RandomAccess.GetLength(_file!) is > 0 and var length && length + line.Length > _maxBytes)
            {
                Rotate();
            }

            Write(_file!, line);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Writing {Printable.Of(_path)}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private static void Write(SafeFileHandle file, ReadOnlySpan<byte> line)
    {
        var end = RandomAccess.GetLength(file);
        try
        {
            if (end > 0 && !EndsWithLine(file, end))
            {
                RandomAccess.Write(file, [LineEnd, .. line], end);
                return;
            }

            RandomAccess.Write(file, line, end);
        }
        catch (IOException)
        {
            RandomAccess.SetLength(file, end);
            throw;
        }
    }

    private static bool EndsWithLine(SafeFileHandle file, long length)
    {
        Span<byte> last = stackalloc byte[1];
        return RandomAccess.Read(file, last, length - 1) == 1 && last[0] == LineEnd;
    }

    private void Rotate()
    {
        // Without the file at hand until there is a new one: a failure between has the next line try again, and none grows beyond its size.
        _file?.Dispose();
        _file = null;
        if (_kept == 0)
        {
            File.Delete(_path);
        }
        else
        {
            for (var number = _kept - 1; number > 0; number--)
            {
                if (File.Exists(Numbered(number)))
                {
                    File.Move(Numbered(number), Numbered(number + 1), overwrite: true);
                }
            }

            File.Move(_path, Numbered(1), overwrite: true);
        }

        _file = OpenFile();
    }

    private void Reopen()
    {
        _file?.Dispose();
        _file = null;
        _file = OpenFile();
    }

    private SafeFileHandle OpenFile()
    {
        if (FileMetadata.TryGet(_path) is { IsRegular: false })
        {
            throw new ImageStoreException(ErrorKind.FailedPrecondition, $"{Printable.Of(_path)} is no regular file.", "Name another one.");
        }

        var file = KernelFile.OpenForAppending(_path);
        try
        {
            File.SetUnixFileMode(file, WholeFile.Private);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private string Numbered(int number) => string.Create(CultureInfo.InvariantCulture, $"{_path}.{number}");
}
