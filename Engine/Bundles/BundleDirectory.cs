using ImageStore.Runtime.Bundles;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Engine.Bundles;

/// <summary>The directory of a bundle while it is written: ours alone to fill, and as it was when that fails.</summary>
/// <remarks>It is reached through its handle, so that whoever can rename it cannot put another in its place.</remarks>
internal sealed class BundleDirectory : IDisposable
{
    // A root filesystem has setuid programs, and an image may have old ones: nobody else is to get at them.
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly SafeFileHandle _handle;
    private readonly UnixFileMode? _before;

    private BundleDirectory(string path, SafeFileHandle handle, UnixFileMode? before) => (Path, _handle, _before) = (path, handle, before);

    /// <summary>Where it is, absolute.</summary>
    public string Path { get; }

    /// <summary>The same as a path for this process alone, which leads through the handle.</summary>
    public string Work => $"/proc/self/fd/{_handle.DangerousGetHandle()}";

    /// <summary>Where the root filesystem goes, by way of <see cref="Work"/>.</summary>
    public string Rootfs => In(Runtime.Generation.SpecGenerator.RootName);

    /// <summary>The root filesystem as others see it.</summary>
    public string MountPoint => System.IO.Path.Combine(Path, Runtime.Generation.SpecGenerator.RootName);

    public string In(string name) => System.IO.Path.Combine(Work, name);

    /// <summary>Makes the directory, or takes one that is there and empty.</summary>
    /// <exception cref="ImageStoreException">It has something in it (<see cref="ErrorKind.AlreadyExists"/>), is no directory
    /// (<see cref="ErrorKind.InvalidArgument"/>), is somebody else's (<see cref="ErrorKind.PermissionDenied"/>), is in one that is not there
    /// (<see cref="ErrorKind.NotFound"/>), or cannot be made.</exception>
    public static BundleDirectory Take(string directory)
    {
        var path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(directory));
        try
        {
            var isMade = !System.IO.Path.Exists(path) && Make(path);
            return Open(path, isMade);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Writing the bundle {Printable.Of(path)}");
        }
    }

    /// <summary>Takes away all that was written, and the directory itself if it was made for it.</summary>
    public void Undo()
    {
        TreeRemover.RemoveTree(In(BundleFile.Name));
        TreeRemover.RemoveTree(Rootfs);
        if (_before is { } mode)
        {
            File.SetUnixFileMode(Work, mode);
        }
        else
        {
            TreeRemover.RemoveTree(Path);
        }
    }

    public void Dispose() => _handle.Dispose();

    private static BundleDirectory Open(string path, bool isMade)
    {
        using var above = OpenAt.HostDirectory(System.IO.Path.GetDirectoryName(path) ?? "/");
        var handle = OpenAt.Directory(above, System.Text.Encoding.UTF8.GetBytes(System.IO.Path.GetFileName(path) + '\0'))
            ?? throw new ImageStoreException(ErrorKind.InvalidArgument, $"{Printable.Of(path)} is no directory.", "Name another one.");
        try
        {
            var work = $"/proc/self/fd/{handle.DangerousGetHandle()}";
            if (FileMetadata.TryGet(work + "/.") is not { } found || found.Uid != ProcessRights.User)
            {
                throw new ImageStoreException(
                    ErrorKind.PermissionDenied,
                    $"{Printable.Of(path)} is somebody else's, who could put other things in the place of what is written.",
                    "Have it made, or name one of your own.");
            }

            RefuseFull(path, work);
            var before = File.GetUnixFileMode(work);
            File.SetUnixFileMode(work, Private);
            try
            {
                // By now nobody else can put anything into it.
                RefuseFull(path, work);
            }
            catch
            {
                File.SetUnixFileMode(work, before);
                throw;
            }

            return new BundleDirectory(path, handle, isMade ? null : before);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static void RefuseFull(string path, string work)
    {
        if (Directory.EnumerateFileSystemEntries(work).Any())
        {
            throw new ImageStoreException(
                ErrorKind.AlreadyExists, $"{Printable.Of(path)} is not empty, and a bundle is written into a directory of its own.", "Name another one, or remove what is in it.");
        }
    }

    private static bool Make(string path)
    {
        var parent = System.IO.Path.GetDirectoryName(path)!;
        if (!Directory.Exists(parent))
        {
            throw new ImageStoreException(
                ErrorKind.NotFound, $"{Printable.Of(parent)}, where the bundle {Printable.Of(System.IO.Path.GetFileName(path))} is to be, is not there.", "Make that directory first.");
        }

        using var above = OpenAt.HostDirectory(parent);
        var name = System.Text.Encoding.UTF8.GetBytes(System.IO.Path.GetFileName(path) + '\0');
        return NameAt.MakeDirectory(above, name, (uint)Private, Printable.Of(path))
            ? true
            : throw new ImageStoreException(ErrorKind.AlreadyExists, $"{Printable.Of(path)} is there by now.", "Something else makes it: name another one.");
    }
}
