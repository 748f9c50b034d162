using ImageStore.Store.Errors;

namespace ImageStore.Cli;

/// <summary>What the process ends with; scripts may rely on these.</summary>
internal static class ExitCode
{
    public const int Ok = 0;
    public const int Internal = 1;
    public const int Usage = 2;
    public const int Interrupted = 130;

    public static int Of(ErrorKind kind) => kind switch
    {
        ErrorKind.InvalidArgument => Usage,
        ErrorKind.NotFound => 3,
        ErrorKind.AlreadyExists => 4,
        ErrorKind.FailedPrecondition => 5,
        ErrorKind.Unauthenticated => 6,
        ErrorKind.PermissionDenied => 7,
        ErrorKind.Unavailable => 8,
        ErrorKind.TooManyRequests => 9,
        ErrorKind.NoSpace => 10,
        ErrorKind.CorruptData => 11,
        ErrorKind.LimitExceeded => 12,
        ErrorKind.Unsupported => 13,
        _ => Internal,
    };
}
