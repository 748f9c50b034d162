using Grpc.Core;
using ImageStore.Daemon.Hosting;
using V1 = ImageStore.Daemon.Protocol.HealthV1;
using ServingStatus = ImageStore.Daemon.Protocol.HealthV1.HealthCheckResponse.Types.ServingStatus;

namespace ImageStore.Daemon.Api;

/// <summary><c>grpc.health.v1</c>: whoever gets an answer may call.</summary>
internal sealed class HealthService(DaemonLife life) : V1.Health.HealthBase
{
    public override Task<V1.HealthCheckResponse> Check(V1.HealthCheckRequest request, ServerCallContext context) =>
        request.Service.Length == 0
            ? Task.FromResult(Now())
            : throw new RpcException(new Status(StatusCode.NotFound, "Only the daemon as a whole tells its health: leave the service empty."));

    public override async Task Watch(
        V1.HealthCheckRequest request, IServerStreamWriter<V1.HealthCheckResponse> responseStream, ServerCallContext context)
    {
        if (request.Service.Length > 0)
        {
            // The protocol has the watch go on, since the service may come to be; ours never does.
            await responseStream.WriteAsync(new V1.HealthCheckResponse { Status = ServingStatus.ServiceUnknown }, context.CancellationToken).ConfigureAwait(false);
        }
        else
        {
            await responseStream.WriteAsync(Now(), context.CancellationToken).ConfigureAwait(false);
        }

        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, life.Stopping);
        await Task.Delay(Timeout.Infinite, end.Token).ConfigureAwait(false);
    }

    private V1.HealthCheckResponse Now() => new()
    {
        Status = life.Stopping.IsCancellationRequested ? ServingStatus.NotServing : ServingStatus.Serving,
    };
}
