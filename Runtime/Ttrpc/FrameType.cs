namespace ImageStore.Runtime.Ttrpc;

/// <summary>What a frame is: <see href="https://github.com/containerd/ttrpc/blob/main/PROTOCOL.md">PROTOCOL.md</see>, "Message Types".</summary>
internal enum FrameType : byte
{
    /// <summary>Begins a stream.</summary>
    Request = 1,

    /// <summary>Ends one.</summary>
    Response = 2,

    /// <summary>A message in between, which a unary call has none of.</summary>
    Data = 3,
}
