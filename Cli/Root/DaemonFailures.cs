using Google.Protobuf;
using Grpc.Core;
using ImageStore.Daemon.Protocol.StoreV1;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Root;

/// <summary>What a call to the daemon ended with, as the error that it was there.</summary>
internal static class DaemonFailures
{
    private const string FailureTrailer = "imagestore-failure-bin";

    public static ImageStoreException From(RpcException failure, string address)
    {
        if (Told(failure) is { } told)
        {
            return new ImageStoreException(
                WireNames.Find<ErrorKind>(told.Kind) ?? ErrorKind.Internal,
                told.Message.Length > 0 ? told.Message : failure.Status.Detail,
                told.Remedy.Length > 0 ? told.Remedy : null,
                failure);
        }

        for (var cause = failure.Status.DebugException; cause is not null; cause = cause.InnerException)
        {
            if (cause is ImageStoreException ours)
            {
                return ours;
            }
        }

        // A failure of the connection, and not of the call.
        return failure.Status.DebugException is not null
            ? new ImageStoreException(
                ErrorKind.Unavailable,
                $"The daemon on {Printable.Of(address)} went away in the middle of the call.",
                "Repeat the command: what was done by then is kept.",
                failure)
            : new ImageStoreException(KindOf(failure.StatusCode), Printable.Of(failure.Status.Detail), null, failure);
    }

    private static Failure? Told(RpcException failure)
    {
        try
        {
            return failure.Trailers.GetValueBytes(FailureTrailer) is { } bytes ? Failure.Parser.ParseFrom(bytes) : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static ErrorKind KindOf(StatusCode code) => code switch
    {
        StatusCode.InvalidArgument => ErrorKind.InvalidArgument,
        StatusCode.NotFound => ErrorKind.NotFound,
        StatusCode.AlreadyExists => ErrorKind.AlreadyExists,
        StatusCode.FailedPrecondition => ErrorKind.FailedPrecondition,
        StatusCode.Unauthenticated => ErrorKind.Unauthenticated,
        StatusCode.PermissionDenied => ErrorKind.PermissionDenied,
        StatusCode.Unavailable => ErrorKind.Unavailable,
        StatusCode.ResourceExhausted => ErrorKind.LimitExceeded,
        StatusCode.Unimplemented => ErrorKind.Unsupported,
        _ => ErrorKind.Internal,
    };
}
