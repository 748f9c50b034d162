using System.Text.Json;
using ImageStore.Runtime.Spec;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Security.Seccomp;

/// <summary>Reads a filter that a user wrote, in the form of the OCI runtime specification.</summary>
public static class ProfileFile
{
    private const int MaxBytes = 4 << 20;

    /// <summary>Reads <paramref name="path"/>.</summary>
    /// <exception cref="ImageStoreException">It cannot be read, or is no filter (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static SeccompSpec Read(string path)
    {
        var text = SmallFile.ReadText(path, MaxBytes);
        try
        {
            return JsonSerializer.Deserialize(text, SpecJson.Strict.SeccompSpec) ?? throw new JsonException("it is null");
        }
        catch (JsonException failure)
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"{Printable.Of(path)} is no seccomp profile: {Printable.Of(failure.Message).TrimEnd('.')}.",
                "Write it as linux.seccomp of the OCI runtime specification; Docker's form, with archMap, includes and excludes, is another one.",
                failure);
        }
    }
}
