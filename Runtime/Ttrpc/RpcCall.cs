using Google.Protobuf;

namespace ImageStore.Runtime.Ttrpc;

/// <summary>A call as a server gets it.</summary>
/// <param name="Service">The service with its package, such as <c>containerd.task.v2.Task</c>.</param>
/// <param name="Method">The method alone.</param>
/// <param name="Message">The request's bytes.</param>
/// <param name="Metadata">Headers, such as <c>containerd-namespace-ttrpc</c>; of a name that comes twice, the first.</param>
/// <param name="Deadline">Ends with the caller's deadline alone: for what must not be left half done when the caller goes.</param>
internal sealed record RpcCall(
    string Service, string Method, ByteString Message, IReadOnlyDictionary<string, string> Metadata, CancellationToken Deadline);

/// <summary>Answers a call.</summary>
/// <param name="call">What is asked.</param>
/// <param name="cancellation">Ends with the caller's deadline and with its connection.</param>
/// <exception cref="RpcException">The answer is an error.</exception>
internal delegate Task<IMessage> RpcHandler(RpcCall call, CancellationToken cancellation);
