using Google.Protobuf;
using ImageStore.Runtime.Protocol.Rpc;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Ttrpc;

/// <summary>Errors as they go over the wire.</summary>
internal static class RpcErrors
{
    private const int LongestMessage = 32 << 10;

    /// <summary>The status of a failure; one that nothing explains has no more than its type told.</summary>
    public static Status StatusOf(Exception failure) => failure switch
    {
        RpcException known => StatusOf(known.Code, known.Message),
        ImageStoreException known => StatusOf(CodeOf(known.Kind), known.Message),
        InvalidProtocolBufferException => StatusOf(RpcCode.InvalidArgument, "The request is no message of its type."),
        OperationCanceledException => StatusOf(RpcCode.Cancelled, "The call was cancelled."),
        IOException or UnauthorizedAccessException => StatusOf(IoErrors.From(failure, "The call")),
        _ => StatusOf(RpcCode.Internal, $"A defect of ours ({failure.GetType().Name}): {failure.Message}"),
    };

    /// <summary>A status with a message that fits into any answer.</summary>
    public static Status StatusOf(RpcCode code, string message) => new()
    {
        Code = (int)code,
        Message = message.Length <= LongestMessage ? message : message[..LongestMessage] + "…",
    };

    /// <summary>The class of a failure of ours, which gRPC has too.</summary>
    public static RpcCode CodeOf(ErrorKind kind) => kind switch
    {
        ErrorKind.InvalidArgument => RpcCode.InvalidArgument,
        ErrorKind.NotFound => RpcCode.NotFound,
        ErrorKind.AlreadyExists => RpcCode.AlreadyExists,
        ErrorKind.FailedPrecondition => RpcCode.FailedPrecondition,
        ErrorKind.Unauthenticated => RpcCode.Unauthenticated,
        ErrorKind.PermissionDenied => RpcCode.PermissionDenied,
        ErrorKind.Unavailable => RpcCode.Unavailable,
        ErrorKind.TooManyRequests or ErrorKind.NoSpace or ErrorKind.LimitExceeded => RpcCode.ResourceExhausted,
        // What containerd answers when a commit's bytes are others than were announced.
        ErrorKind.CorruptData => RpcCode.FailedPrecondition,
        ErrorKind.Unsupported => RpcCode.Unimplemented,
        _ => RpcCode.Unknown,
    };
}
