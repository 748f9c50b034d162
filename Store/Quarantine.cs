using System.Globalization;
using System.Text;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Store;

/// <summary>Where damaged things are put aside: never deleted, since they are the evidence of what happened to them.</summary>
/// <remarks><c>quarantine/TIME-NAME</c>, with a line for each in <c>quarantine/log</c>. Whoever has looked at it deletes it by hand.</remarks>
public sealed class Quarantine
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const string LogName = "log";

    private readonly string _directory;
    private readonly TimeProvider _time;

    internal Quarantine(string directory, TimeProvider time) => (_directory, _time) = (directory, time);

    /// <summary>Moves a file or folder of the root here.</summary>
    /// <param name="path">Which.</param>
    /// <param name="name">What it is, for a person who finds it.</param>
    /// <param name="why">What is wrong with it.</param>
    /// <returns>Where it is now.</returns>
    /// <exception cref="ImageStoreException">The disk refused; it is where it was.</exception>
    public string Take(string path, string name, string why)
    {
        ArgumentNullException.ThrowIfNull(path);
        var place = PlaceFor(name, why);
        try
        {
            if (Directory.Exists(path))
            {
                Directory.Move(path, place);
            }
            else
            {
                File.Move(path, place);
            }

            KernelFile.SyncDirectory(_directory);
            return place;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Putting {Printable.Of(path)} aside");
        }
    }

    /// <summary>Writes something that is no file here, such as a row that has to go.</summary>
    /// <exception cref="ImageStoreException">The disk refused.</exception>
    public void Note(string name, string why, string text) => WholeFile.Write(PlaceFor(name, why), Encoding.UTF8.GetBytes(text), WholeFile.Private);

    /// <summary>A path here that nothing has, and a line in the log of what will have it.</summary>
    internal string PlaceFor(string name, string why)
    {
        try
        {
            Directory.CreateDirectory(_directory, OwnerOnly);
            var now = _time.GetUtcNow().UtcDateTime;
            var stem = now.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture) + "-" + name.Replace('/', '_').Replace(':', '-');
            var place = Path.Combine(_directory, stem);
            for (var i = 2; Path.Exists(place); i++)
            {
                place = Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture, $"{stem}.{i}"));
            }

            File.AppendAllText(Path.Combine(_directory, LogName), $"{now:O} {Path.GetFileName(place)}: {Printable.Of(why)}\n");
            return place;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Putting {Printable.Of(name)} aside");
        }
    }
}
