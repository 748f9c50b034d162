using System.Diagnostics;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Metadata;

/// <summary>The files of a database and the locks on them.</summary>
internal sealed class MetadataFiles : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly TimeSpan s_lockPause = TimeSpan.FromMilliseconds(5);

    private readonly SafeFileHandle? _writer;
    private readonly SafeFileHandle? _readers;

    private MetadataFiles(string directory, SafeFileHandle? writer, SafeFileHandle? readers)
    {
        (Directory, _writer, _readers) = (directory, writer, readers);
        Data = Path.Combine(directory, "meta.db");
        Log = Path.Combine(directory, "meta.log");
    }

    public string Directory { get; }

    public string Data { get; }

    public string Log { get; }

    /// <summary>Where a new database is made before it gets its name.</summary>
    public string NewData => Data + ".new";

    public bool Exist => File.Exists(Data);

    /// <exception cref="ImageStoreException">Another process writes (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public static MetadataFiles OpenForWriting(string directory)
    {
        if (!System.IO.Directory.Exists(directory))
        {
            System.IO.Directory.CreateDirectory(directory, OwnerOnly);
            KernelFile.SyncDirectory(Path.GetDirectoryName(directory)!);
        }

        var writer = KernelFile.OpenLockFile(Path.Combine(directory, "meta.writer"));
        if (!KernelFile.TryLock(writer))
        {
            writer.Dispose();
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition, $"Another process writes the metadata in {directory}.", "Wait for it to end.");
        }

        return new MetadataFiles(directory, writer, KernelFile.OpenLockFile(Path.Combine(directory, "meta.readers")));
    }

    /// <summary>Shares the database with other readers, and keeps the writer from moving pages meanwhile.</summary>
    /// <exception cref="ImageStoreException">The writer does not let go in time (<see cref="ErrorKind.Unavailable"/>).</exception>
    public static MetadataFiles OpenForReading(string directory, TimeSpan limit)
    {
        var path = Path.Combine(directory, "meta.readers");
        if (!File.Exists(path))
        {
            return new MetadataFiles(directory, null, null);
        }

        var readers = KernelFile.OpenLockFile(path);
        if (!TryLock(readers, shared: true, limit))
        {
            readers.Dispose();
            throw new ImageStoreException(
                ErrorKind.Unavailable, $"The metadata in {directory} is being rewritten.", "Repeat the command.");
        }

        return new MetadataFiles(directory, null, readers);
    }

    /// <summary>Runs <paramref name="change"/> while nobody reads; false when readers stay beyond <paramref name="limit"/>.</summary>
    public bool TryWithoutReaders(TimeSpan limit, Action change)
    {
        if (!TryLock(_readers!, shared: false, limit))
        {
            return false;
        }

        try
        {
            change();
            return true;
        }
        finally
        {
            KernelFile.Unlock(_readers!);
        }
    }

    public void Dispose()
    {
        _readers?.Dispose();
        _writer?.Dispose();
    }

    private static bool TryLock(SafeFileHandle file, bool shared, TimeSpan limit)
    {
        var started = Stopwatch.GetTimestamp();
        while (!KernelFile.TryLock(file, shared))
        {
            if (Stopwatch.GetElapsedTime(started) > limit)
            {
                return false;
            }

            Thread.Sleep(s_lockPause);
        }

        return true;
    }
}
