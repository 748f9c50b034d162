using System.Globalization;

namespace ImageStore.Shim.Oci;

/// <summary>A file in which an OCI runtime leaves the id of a process that it began.</summary>
internal static class PidFile
{
    private const int LongestNumber = 32;

    /// <summary>The id in a file; null where there is no such file or no number in it.</summary>
    public static int? Read(string path) =>
        BoundedFile.TryRead(path, LongestNumber) is { } text
        && int.TryParse(text.AsSpan().Trim(" \n"u8), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && pid > 0
            ? pid : null;
}
