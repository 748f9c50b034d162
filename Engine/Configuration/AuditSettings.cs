using ImageStore.Store;
using ImageStore.Store.Configuration;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Configuration;

/// <summary>Where the daemon writes who did what.</summary>
public sealed record AuditSettings
{
    private const string FileKey = "file";
    private const string MaxSizeKey = "max_size";
    private const string KeepKey = "keep";
    private const string StandardErrorName = "stderr";
    private const long LeastBytes = 64 << 10;
    private const int MostKept = 100;

    /// <summary>The file, absolute; null for none.</summary>
    public string? File { get; init; }

    /// <summary>Does all of it go to standard error, where there is no file?</summary>
    public bool IsOnStandardError { get; init; }

    /// <summary>How large the file may grow.</summary>
    public long MaxBytes { get; init; } = 64 << 20;

    /// <summary>How many full ones are kept beside it.</summary>
    public int Kept { get; init; } = 4;

    internal static IReadOnlyList<string> Keys { get; } = [FileKey, MaxSizeKey, KeepKey];

    /// <exception cref="ImageStoreException">There is a mistake in it.</exception>
    internal static AuditSettings Of(TomlTable audit)
    {
        var usual = new AuditSettings();
        var file = audit.Find(FileKey);
        var isOnStandardError = file?.Text == StandardErrorName;
        return new AuditSettings
        {
            File = file is null || isOnStandardError ? null : Absolute(file),
            IsOnStandardError = isOnStandardError,
            MaxBytes = audit.Find(MaxSizeKey) is { } size ? Bytes(size) : usual.MaxBytes,
            Kept = audit.Find(KeepKey) is { } keep ? Count(keep) : usual.Kept,
        };
    }

    private static string Absolute(TomlItem file) => file.Text.StartsWith('/') && !file.Text.EndsWith('/') && !file.Text.Any(char.IsControl)
        ? file.Text
        : throw file.Complaint("file is the absolute path of a file, or \"stderr\"");

    private static long Bytes(TomlItem size) => ByteText.Parse(size.Text) is { } bytes and >= LeastBytes
        ? bytes
        : throw size.Complaint($"max_size is a number of bytes, such as \"64M\", and at least {ByteText.Of(LeastBytes)}");

    private static int Count(TomlItem keep) =>
        keep.Number is >= 0 and <= MostKept ? (int)keep.Number : throw keep.Complaint($"keep is at least 0 and at most {MostKept}");
}
