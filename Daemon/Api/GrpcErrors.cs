using Google.Protobuf;
using Grpc.Core;
using ImageStore.Daemon.Protocol.StoreV1;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Api;

/// <summary>Failures in containerd's codes, on which its clients branch.</summary>
internal static class GrpcErrors
{
    /// <summary>The trailer in which our own command finds a failure whole.</summary>
    public const string FailureTrailer = "imagestore-failure-bin";

    // Clients refuse answers whose headers are long.
    private const int MaxTold = 4096;

    /// <summary>The code of a kind of failure.</summary>
    public static StatusCode CodeOf(ErrorKind kind) => (StatusCode)(int)Runtime.Ttrpc.RpcErrors.CodeOf(kind);

    /// <summary>What a client is told of <paramref name="failure"/>.</summary>
    /// <param name="failure">What a call ended with.</param>
    /// <param name="isStopping">Is the daemon going away? Then that is why a call was cut off.</param>
    public static RpcException Of(Exception failure, bool isStopping) => failure switch
    {
        RpcException known => known,
        // Of a shim, whose codes are the same.
        Runtime.Ttrpc.RpcException known => Make((StatusCode)(int)known.Code, known.Message),
        ImageStoreException known => new RpcException(
            new Status(CodeOf(known.Kind), known.Remedy is { } remedy ? $"{known.Message} {remedy}" : known.Message), TrailersOf(known)),
        OperationCanceledException when isStopping => Make(StatusCode.Unavailable, "The daemon is stopping: call again when it is back."),
        OperationCanceledException => Make(StatusCode.Cancelled, "The call was cancelled."),
        InvalidProtocolBufferException => Make(StatusCode.InvalidArgument, "A part of the request is malformed."),
        IOException or UnauthorizedAccessException => Of(IoErrors.From(failure, "The call"), isStopping),
        _ => Make(StatusCode.Unknown, $"A defect of ours: {failure.GetType().Name}: {Printable.Of(failure.Message)}"),
    };

    // containerd's codes are fewer than our kinds, and have no place for what to do.
    private static Metadata TrailersOf(ImageStoreException failure)
    {
        var whole = new Failure { Kind = failure.Kind.ToString(), Message = failure.Message, Remedy = failure.Remedy ?? string.Empty };

        // Of a long one the status has the text.
        return new() { { FailureTrailer, (whole.CalculateSize() > MaxTold ? new Failure { Kind = whole.Kind } : whole).ToByteArray() } };
    }

    private static RpcException Make(StatusCode code, string message) => new(new Status(code, message));
}
