namespace ImageStore.Store.Errors;

/// <summary>What our programs end with; scripts may rely on these.</summary>
public static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>A defect of ours.</summary>
    public const int Internal = 1;

    /// <summary>Wrong usage or malformed input.</summary>
    public const int Usage = 2;

    /// <summary>Interrupted by SIGINT.</summary>
    public const int Interrupted = 130;

    /// <summary>The codes as help shows them.</summary>
    public static IReadOnlyList<string> Meanings { get; } =
    [
        "0 done, 1 a defect of ours, 2 wrong usage or malformed input, 3 not found, 4 already exists,",
        "5 state forbids it, 6 credentials missing or refused, 7 not permitted, 8 unreachable, try again,",
        "9 too many requests, 10 no space, 11 bytes do not match, 12 over a limit, 13 not supported,",
        "130 interrupted (SIGINT), 143 terminated (SIGTERM)",
    ];

    /// <summary>The code of a kind of failure.</summary>
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
