using System.Text;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Daemon.Hosting;

/// <summary>The directory of what ends with the machine, as long as a daemon has it: bundles of containers, and by default the socket.</summary>
/// <remarks>What lies in it is believed, and programs that it names are run: it has to be this user's alone, and of the same root.</remarks>
internal sealed class StateFolder : IDisposable
{
    private const uint OthersWrite = 0x12; // 0022
    private const int LongestRoot = 4096;
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
            CheckOwner(real);
            var held = Lock(real);
            try
            {
                var state = new StateFolder(real, held);
                state.CheckRoot(Path.Combine(real, "root"), Path.GetFullPath(root));
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

    // What is mounted below it is compared with what the kernel says, which has no links.
    private static string RealPath(string path)
    {
        using var folder = OpenAt.HostDirectory(path);
        return new FileInfo($"/proc/self/fd/{folder.DangerousGetHandle()}").LinkTarget ?? path;
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
        catch (IOException busy) when (busy is not (DirectoryNotFoundException or FileNotFoundException))
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition, $"Another daemon has the state directory {Printable.Of(path)}.", "Stop that one, or name another directory with --state.", busy);
        }
    }

    private void CheckRoot(string file, string root)
    {
        if (File.Exists(file) && new FileInfo(file).Length <= LongestRoot && File.ReadAllText(file) is var other && other != root && HasBundles())
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"The state directory has containers of the root {Printable.Of(other)}, which a daemon of {Printable.Of(root)} would take for left over.",
                "Name another directory with --state.");
        }

        using var written = new FileStream(file, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerFile });
        written.Write(Encoding.UTF8.GetBytes(root));
    }

    private bool HasBundles() => Directory.Exists(Bundles) && Directory.EnumerateDirectories(Bundles).SelectMany(Directory.EnumerateDirectories).Any();
}
