using System.Diagnostics;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Metadata;

/// <summary>The files of a database in a directory, and the locks on them.</summary>
internal sealed class MetadataFiles : MetadataDisk
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const string WriterLock = "meta.writer";
    private const string ReadersLock = "meta.readers";
    private static readonly TimeSpan s_forkLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_lockPause = TimeSpan.FromMilliseconds(5);

    private readonly SafeFileHandle? _writer;
    private readonly SafeFileHandle? _readers;
    private readonly DiskReserve _reserve;

    private MetadataFiles(string directory, SafeFileHandle? writer, SafeFileHandle? readers) =>
        (Directory, _writer, _readers, _reserve) = (directory, writer, readers, new DiskReserve(directory));

    public override string Directory { get; }

    /// <exception cref="ImageStoreException">Another process writes (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public static MetadataFiles OpenForWriting(string directory)
    {
        System.IO.Directory.CreateDirectory(directory, OwnerOnly);
        var writer = KernelFile.OpenLockFile(Path.Combine(directory, WriterLock));
        try
        {
            // A child that is being forked has our open files for a moment, and with them a lock that we have let go of.
            return TryLock(writer, shared: false, s_forkLimit)
                ? new MetadataFiles(directory, writer, KernelFile.OpenLockFile(Path.Combine(directory, ReadersLock)))
                : throw new ImageStoreException(
                    ErrorKind.FailedPrecondition, $"Another process writes the metadata in {directory}.", "Wait for it to end.");
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Shares the database with other readers, and keeps the writer from moving pages meanwhile.</summary>
    /// <exception cref="ImageStoreException">The writer does not let go in time (<see cref="ErrorKind.Unavailable"/>).</exception>
    public static MetadataFiles OpenForReading(string directory, TimeSpan limit)
    {
        if (!System.IO.Directory.Exists(directory))
        {
            return new MetadataFiles(directory, null, null);
        }

        var readers = OpenReadersLock(Path.Combine(directory, ReadersLock));
        try
        {
            return readers is null || TryLock(readers, shared: true, limit)
                ? new MetadataFiles(directory, null, readers)
                : throw new ImageStoreException(
                    ErrorKind.Unavailable, $"The metadata in {directory} is being rewritten.", "Repeat the command.");
        }
        catch
        {
            readers?.Dispose();
            throw;
        }
    }

    public override bool Exists(string name) => File.Exists(PathOf(name));

    public override MetadataFile Open(string name, bool canWrite) => new KernelMetadataFile(File.OpenHandle(
        PathOf(name),
        FileMode.Open,
        canWrite ? FileAccess.ReadWrite : FileAccess.Read,
        FileShare.ReadWrite | FileShare.Delete));

    public override MetadataFile Create(string name) => new KernelMetadataFile(File.OpenHandle(
        PathOf(name), FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete));

    public override void Rename(string from, string to) => File.Move(PathOf(from), PathOf(to));

    public override void SyncNames()
    {
        KernelFile.SyncDirectory(Directory);
        KernelFile.SyncDirectory(Path.GetDirectoryName(Directory)!);
    }

    public override bool TryWithoutReaders(TimeSpan limit, Action change)
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

    public override void KeepReserve() => _reserve.Keep();

    public override bool GiveUpReserve() => _reserve.GiveUp();

    public override void Dispose()
    {
        _readers?.Dispose();
        _writer?.Dispose();
    }

    /// <summary>The lock; on a filesystem that is read-only it need not be made, and is null when it is not there.</summary>
    private static SafeFileHandle? OpenReadersLock(string path)
    {
        try
        {
            return KernelFile.OpenLockFile(path);
        }
        catch (ImageStoreException refused) when (refused.Kind is ErrorKind.PermissionDenied or ErrorKind.FailedPrecondition)
        {
            if (File.Exists(path))
            {
                return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            }

            // A directory that may not be looked into must not pass for an empty one.
            if (!System.IO.Directory.EnumerateFiles(Path.GetDirectoryName(path)!).All(File.Exists))
            {
                throw;
            }

            return null;
        }
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
