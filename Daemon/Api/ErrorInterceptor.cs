using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using Grpc.Core.Interceptors;
using ImageStore.Daemon.Hosting;

namespace ImageStore.Daemon.Api;

/// <summary>Has every call end with one of containerd's codes, and tells the administrator of defects.</summary>
[SuppressMessage("Design", "CA1031", Justification = "Whatever a call ends with is told to its caller.")]
internal sealed class ErrorInterceptor(DaemonLife life) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            throw Told(failure, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responseStream, context).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            throw Told(failure, context);
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(requestStream, responseStream, context).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            throw Told(failure, context);
        }
    }

    private RpcException Told(Exception failure, ServerCallContext context)
    {
        var told = GrpcErrors.Of(failure, life.Stopping.IsCancellationRequested);
        if (told.StatusCode == StatusCode.Unknown && !context.CancellationToken.IsCancellationRequested)
        {
            life.Tell($"{context.Method} failed: {failure}");
        }

        return told;
    }
}
