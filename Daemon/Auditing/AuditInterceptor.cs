using Grpc.Core;
using Grpc.Core.Interceptors;
using ImageStore.Daemon.Api;
using ImageStore.Daemon.Authorization;

namespace ImageStore.Daemon.Auditing;

/// <summary>Records how calls ended. It stands before the one that gives failures their codes.</summary>
internal sealed class AuditInterceptor(Auditor auditor) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            var answer = await continuation(request, context).ConfigureAwait(false);
            if (auditor.IsTold(context.Method, StatusCode.OK))
            {
                await RecordAsync(context, request, AuditSubject.Of(request) ?? AuditSubject.Of(answer), StatusCode.OK).ConfigureAwait(false);
            }

            return answer;
        }
        catch (RpcException failure)
        {
            await EndedAsync(context, request, failure.StatusCode).ConfigureAwait(false);
            throw;
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
            await EndedAsync(context, request, StatusCode.OK).ConfigureAwait(false);
        }
        catch (RpcException failure)
        {
            await EndedAsync(context, request, failure.StatusCode).ConfigureAwait(false);
            throw;
        }
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var messages = new FirstMessage<TRequest>(requestStream);
        try
        {
            var answer = await continuation(messages, context).ConfigureAwait(false);
            await StreamEndedAsync(context, messages.Subject, StatusCode.OK).ConfigureAwait(false);
            return answer;
        }
        catch (RpcException failure)
        {
            await StreamEndedAsync(context, messages.Subject, failure.StatusCode).ConfigureAwait(false);
            throw;
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var messages = new FirstMessage<TRequest>(requestStream);
        try
        {
            await continuation(messages, responseStream, context).ConfigureAwait(false);
            await StreamEndedAsync(context, messages.Subject, StatusCode.OK).ConfigureAwait(false);
        }
        catch (RpcException failure)
        {
            await StreamEndedAsync(context, messages.Subject, failure.StatusCode).ConfigureAwait(false);
            throw;
        }
    }

    private ValueTask EndedAsync(ServerCallContext context, object request, StatusCode code) =>
        auditor.IsTold(context.Method, code) ? RecordAsync(context, request, AuditSubject.Of(request), code) : ValueTask.CompletedTask;

    private ValueTask StreamEndedAsync(ServerCallContext context, string? about, StatusCode code) =>
        auditor.IsTold(context.Method, code) ? RecordAsync(context, null, about, code) : ValueTask.CompletedTask;

    private ValueTask RecordAsync(ServerCallContext context, object? request, string? about, StatusCode code)
    {
        // What a request names itself counts, as it does for what the caller may do.
        var @namespace = MethodRights.All.TryGetValue(context.Method, out var right) && right.Source == NamespaceSource.Request
            ? NamedNamespace.Of(request)
            : context.RequestHeaders.GetValue(Tenants.NamespaceHeader);
        return auditor.RecordAsync(context.GetHttpContext().Features.Get<Caller>()?.Peer, context.Method, @namespace, about, code);
    }
}
