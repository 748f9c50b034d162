using Grpc.Core;
using Grpc.Core.Interceptors;
using ImageStore.Daemon.Api;
using ImageStore.Store.Namespaces;

namespace ImageStore.Daemon.Authorization;

/// <summary>Lets a call through that its caller may make, before anything is done for it.</summary>
internal sealed class AccessInterceptor : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Check(context, request);
        return continuation(request, context);
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Check(context, request);
        return continuation(request, responseStream, context);
    }

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Check(context, null);
        return continuation(requestStream, context);
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Check(context, null);
        return continuation(requestStream, responseStream, context);
    }

    private static void Check(ServerCallContext context, object? request)
    {
        var caller = Caller.Of(context);

        // Also for root, so that a method that was forgotten is found by whoever calls it first.
        if (!MethodRights.All.TryGetValue(context.Method, out var needed))
        {
            throw Denial.Unlisted(caller, context.Method);
        }

        // What is malformed is answered by the method itself, as ever, where nobody else is to be kept out.
        if (caller.MayEverything || needed.Source == NamespaceSource.None)
        {
            return;
        }

        if (needed.Source == NamespaceSource.All)
        {
            throw Denial.Everywhere(caller, context.Method);
        }

        var @namespace = needed.Source == NamespaceSource.Header ? Tenants.NamespaceOf(context) : NamespaceName.Check(NamedNamespace.Of(request));
        if (!caller.May(@namespace, needed.Right))
        {
            throw Denial.Of(caller, context.Method, @namespace, needed.Right);
        }
    }
}
