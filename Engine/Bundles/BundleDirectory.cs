using ImageStore.Runtime.Bundles;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Engine.Bundles;

/// <summary>The directory of a bundle while it is written: ours alone to fill, and as it was when that fails.</summary>
internal sealed class BundleDirectory
{
    // A root filesystem has setuid programs, and an image may have old ones: nobody else is to get at them.
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly UnixFileMode? _before;

    private BundleDirectory(string path, UnixFileMode? before) => (Path, _before) = (path, before);

    /// <summary>Where it is, absolute.</summary>
    public string Path { get; }

    /// <summary>Where the root filesystem goes.</summary>
    public string Rootfs => In(Runtime.Generation.SpecGenerator.RootName);

    public string In(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Makes the directory, or takes one that is there and empty.</summary>
    /// <exception cref="ImageStoreException">It has something in it (<see cref="ErrorKind.AlreadyExists"/>), is no directory
    /// (<see cref="ErrorKind.InvalidArgument"/>), is in one that is not there (<see cref="ErrorKind.NotFound"/>), or cannot be made.</exception>
    public static BundleDirectory Take(string directory)
    {
        var path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(directory));
        try
        {
            if (!System.IO.Path.Exists(path))
            {
                return Make(path);
            }

            if (!Directory.Exists(path))
            {
                throw new ImageStoreException(ErrorKind.InvalidArgument, $"{Printable.Of(path)} is no directory.", "Name another one.");
            }

            if (Directory.EnumerateFileSystemEntries(path).Any())
            {
                throw new ImageStoreException(
                    ErrorKind.AlreadyExists, $"{Printable.Of(path)} is not empty, and a bundle is written into a directory of its own.", "Name another one, or remove what is in it.");
            }

            var taken = new BundleDirectory(path, File.GetUnixFileMode(path));
            File.SetUnixFileMode(path, Private);
            return taken;
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
            File.SetUnixFileMode(Path, mode);
        }
        else
        {
            TreeRemover.RemoveTree(Path);
        }
    }

    private static BundleDirectory Make(string path)
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
            ? new BundleDirectory(path, null)
            : throw new ImageStoreException(ErrorKind.AlreadyExists, $"{Printable.Of(path)} is there by now.", "Something else makes it: name another one.");
    }
}
