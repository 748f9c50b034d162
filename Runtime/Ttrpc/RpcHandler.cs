using Google.Protobuf;

namespace ImageStore.Runtime.Ttrpc;

/// <summary>Answers a call.</summary>
/// <param name="call">What is asked.</param>
/// <param name="cancellation">Ends with the caller's deadline and with its connection.</param>
/// <exception cref="RpcException">The answer is an error.</exception>
internal delegate Task<IMessage> RpcHandler(RpcCall call, CancellationToken cancellation);
