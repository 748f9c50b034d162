namespace ImageStore.Runtime.Ttrpc;

/// <summary>A call that was answered with an error, or that has none of another kind to give.</summary>
/// <param name="code">Its class.</param>
/// <param name="message">What the other end reads.</param>
/// <param name="inner">The cause, kept for logs.</param>
internal sealed class RpcException(RpcCode code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The class on which callers branch.</summary>
    public RpcCode Code => code;
}
