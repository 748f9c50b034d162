using Grpc.Core;
using ImageStore.Daemon.Api;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Tests.Api;

public sealed class GrpcErrorsTests
{
    [Theory]
    [InlineData(ErrorKind.NotFound, StatusCode.NotFound)]
    [InlineData(ErrorKind.AlreadyExists, StatusCode.AlreadyExists)]
    [InlineData(ErrorKind.InvalidArgument, StatusCode.InvalidArgument)]
    [InlineData(ErrorKind.FailedPrecondition, StatusCode.FailedPrecondition)]
    [InlineData(ErrorKind.CorruptData, StatusCode.FailedPrecondition)]
    [InlineData(ErrorKind.Unavailable, StatusCode.Unavailable)]
    [InlineData(ErrorKind.Unsupported, StatusCode.Unimplemented)]
    [InlineData(ErrorKind.NoSpace, StatusCode.ResourceExhausted)]
    [InlineData(ErrorKind.PermissionDenied, StatusCode.PermissionDenied)]
    public void Of_AKnownFailure_HasItsCode(ErrorKind kind, StatusCode code)
    {
        var told = GrpcErrors.Of(new ImageStoreException(kind, "What.", "Do."), isStopping: false);
        Assert.Equal((code, "What. Do."), (told.StatusCode, told.Status.Detail));
    }

    [Fact]
    public void CodeOf_EveryKindButADefect_IsNotUnknown() => Assert.Equal(
        [ErrorKind.Internal], Enum.GetValues<ErrorKind>().Where(kind => GrpcErrors.CodeOf(kind) == StatusCode.Unknown));

    [Fact]
    public void Of_ACancelledCall_TellsWhetherTheDaemonStops()
    {
        Assert.Equal(StatusCode.Cancelled, GrpcErrors.Of(new OperationCanceledException(), isStopping: false).StatusCode);
        Assert.Equal(StatusCode.Unavailable, GrpcErrors.Of(new OperationCanceledException(), isStopping: true).StatusCode);
    }
}
