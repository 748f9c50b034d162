using System.Text;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Daemon.Hosting;

/// <summary>The directory of what ends with the machine, as long as a daemon has it: bundles of containers, and by default the socket.</summary>
/// <remarks>What lies in it is believed, and programs that it names are run: it has to be this user's alone, and of the same root.</remarks>
internal sealed class StateFolder : IDisposable
{
    private const uint OthersWrite = 0x12; // 0022
    private const uint Sticky = 0x200; // 01000
    private const int LongestRoot = 4096;
    private const int WouldBlock = 11; // EWOULDBLOCK
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Traversable = OwnerFile | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    // containerd's name, by which shims and people find bundles.
    private const string BundlesName = "io.containerd.runtime.v2.task";

    private readonly FileStream _lock;

    private StateFolder(string path, FileStream held) => (Bundles, _lock) = (Path.Combine(path, BundlesName), held);

    /// <summary>The directory of all bundles, without links.</summary>
    public string Bundles { get; }

    /// <summary>Takes it for the daemon of a root.</summary>
    /// <exception cref="ImageStoreException">It is another user's or others may write into it (<see cref="ErrorKind.PermissionDenied"/>),
    /// another daemon has it or it has containers of another root (<see cref="ErrorKind.FailedPrecondition"/>), or it cannot be made.</exception>
    public static StateFolder Take(string path, string root)
    {
        try
        {
            Directory.CreateDirectory(path, Traversable);
            var real = RealPath(path);
            CheckParent(real);
            CheckOwner(real);
            var held = Lock(real);
            try
            {
                var state = new StateFolder(real, held);
                state.CheckRoot(Path.Combine(real, "root"), RealPath(root));
                return state;
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Opening the state directory {Printable.Of(path)}");
        }
    }

    public void Dispose() => _lock.Dispose();

    /// <summary>A directory's path without links, by which it is the same however it is written.</summary>
    public static string RealPath(string path)
    {
        if (!Directory.Exists(path))
        {
            return Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        }

        using var folder = OpenAt.HostDirectory(path);
        return new FileInfo($"/proc/self/fd/{folder.DangerousGetHandle()}").LinkTarget ?? path;
    }

    // Whoever has the directory above could put another in its place; in one like /tmp only a directory's owner can.
    private static void CheckParent(string path)
    {
        if (FileMetadata.TryGet(Path.GetDirectoryName(path) ?? "/") is not { } above || (above.Uid != 0 && above.Uid != ProcessRights.User)
            || ((above.Mode & OthersWrite) != 0 && (above.Mode & Sticky) == 0))
        {
            throw new ImageStoreException(
                ErrorKind.PermissionDenied,
                $"The directory above the state directory {Printable.Of(path)} is somebody else's, or others may write into it.",
                "Name another one with --state.");
        }
    }

    private static void CheckOwner(string path)
    {
        if (FileMetadata.TryGet(path) is not { } found || found.Uid != ProcessRights.User || (found.Mode & OthersWrite) != 0)
        {
            throw new ImageStoreException(
                ErrorKind.PermissionDenied,
                $"The state directory {Printable.Of(path)} is somebody else's, or others may write into it.",
                "Name another one with --state, or remove it and have it made.");
        }
    }

    private static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(
                Path.Combine(path, "lock"),
                new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, UnixCreateMode = OwnerFile });
        }
        catch (IOException busy) when (busy.HResult == WouldBlock)
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition, $"Another daemon has the state directory {Printable.Of(path)}.", "Stop that one, or name another directory with --state.", busy);
        }
    }

    private void CheckRoot(string file, string root)
    {
        var other = File.Exists(file) && new FileInfo(file).Length <= LongestRoot ? File.ReadAllText(file) : string.Empty;
        if (other == root)
        {
            return;
        }

        if (other.Length > 0 && HasBundles())
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"The state directory has containers of the root {Printable.Of(other)}, which a daemon of {Printable.Of(root)} would take for left over.",
                "Name another directory with --state.");
        }

        WholeFile.Write(file, Encoding.UTF8.GetBytes(root), OwnerFile);
    }

    private bool HasBundles() => Directory.Exists(Bundles) && Directory.EnumerateDirectories(Bundles).SelectMany(Directory.EnumerateDirectories).Any();
}
