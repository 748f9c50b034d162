using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Streaming;

/// <summary>A stream that a client has opened beside its calls, for the one call that takes it.</summary>
/// <remarks>One reader and one writer at a time.</remarks>
internal sealed class ClientStream(IAsyncStreamReader<Any> requests, IServerStreamWriter<Any> answers)
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the call that took it is done with it.</summary>
    public Task Ended => _end.Task;

    /// <summary>Sends a message; waits while the client does not read.</summary>
    /// <exception cref="ImageStoreException">The client is gone (<see cref="ErrorKind.Unavailable"/>).</exception>
    public async Task SendAsync(IMessage message, CancellationToken cancellationToken)
    {
        try
        {
            await answers.WriteAsync(
                new Any { TypeUrl = message.Descriptor.FullName, Value = message.ToByteString() }, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (IsGone(failure, cancellationToken))
        {
            throw Gone(failure);
        }
    }

    /// <summary>The next message, or null when the client has sent all.</summary>
    /// <exception cref="ImageStoreException">The client is gone (<see cref="ErrorKind.Unavailable"/>).</exception>
    public async Task<Any?> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await requests.MoveNext(cancellationToken).ConfigureAwait(false) ? requests.Current : null;
        }
        catch (Exception failure) when (IsGone(failure, cancellationToken))
        {
            throw Gone(failure);
        }
    }

    /// <summary>Ends it: the client has got all.</summary>
    public void End() => _end.TrySetResult();

    /// <summary>Ends it so that the client does not take what it has got for all.</summary>
    public void Fail(Exception failure) => _end.TrySetException(failure);

    // What gRPC says of a call that has ended differs with the moment.
    private static bool IsGone(Exception failure, CancellationToken cancellationToken) =>
        failure is IOException or InvalidOperationException or RpcException
        || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private static ImageStoreException Gone(Exception failure) =>
        new(ErrorKind.Unavailable, "The client has closed its stream in the middle.", "Repeat the call with a new one.", failure);
}
