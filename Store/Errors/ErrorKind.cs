namespace ImageStore.Store.Errors;

/// <summary>The classes of failure that a caller may branch on; each has one gRPC code and one exit code.</summary>
public enum ErrorKind
{
    /// <summary>A defect of ours: nothing that the caller did explains it.</summary>
    Internal = 1,

    /// <summary>The caller's input is malformed: a reference, digest, flag or path.</summary>
    InvalidArgument,

    /// <summary>The named thing is not there.</summary>
    NotFound,

    /// <summary>The named thing is there already.</summary>
    AlreadyExists,

    /// <summary>The thing is in a state that forbids the operation (in use, has children, not empty).</summary>
    FailedPrecondition,

    /// <summary>The credentials were missing or refused (401).</summary>
    Unauthenticated,

    /// <summary>The credentials or the process's privileges do not suffice (403, EPERM, EACCES).</summary>
    PermissionDenied,

    /// <summary>A remote or local part cannot be reached just now; a repeat may succeed.</summary>
    Unavailable,

    /// <summary>The remote asks for fewer requests (429).</summary>
    TooManyRequests,

    /// <summary>No space, inodes or quota left (ENOSPC, EDQUOT).</summary>
    NoSpace,

    /// <summary>Bytes do not match their digest, size or format.</summary>
    CorruptData,

    /// <summary>The input is valid but exceeds a named limit.</summary>
    LimitExceeded,

    /// <summary>The input asks for something that this version does not do.</summary>
    Unsupported,
}
