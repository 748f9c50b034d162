using System.Globalization;

namespace ImageStore.Shim.Oci;

/// <summary>Writes files that only their owner reads.</summary>
internal static class OwnFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes one: who is killed meanwhile leaves the whole file or none.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };

        // Another process may write the same: each has a name of its own until it is whole.
        var unfinished = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}.new");
        using (var file = new FileStream(unfinished, options))
        {
            file.Write(content);
        }

        File.Move(unfinished, path, overwrite: true);
    }
}
