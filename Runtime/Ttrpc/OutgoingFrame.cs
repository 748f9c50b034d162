using System.Buffers.Binary;
using Google.Protobuf;

namespace ImageStore.Runtime.Ttrpc;

/// <summary>A message as it is sent, and whether it has been.</summary>
internal sealed class OutgoingFrame
{
    private OutgoingFrame(byte[] bytes) => Bytes = bytes;

    /// <summary>Header and message.</summary>
    public byte[] Bytes { get; }

    /// <summary>Does the connection have all of it?</summary>
    public bool IsWritten { get; private set; }

    /// <summary>Makes one, whose stream is given later.</summary>
    /// <exception cref="RpcException">The message is over the limit.</exception>
    public static OutgoingFrame Of(FrameType type, IMessage message)
    {
        var size = message.CalculateSize();
        if (size > TtrpcLimits.MessageBytes)
        {
            throw new RpcException(RpcCode.ResourceExhausted, $"A message of {size} bytes is over ttrpc's limit of {TtrpcLimits.MessageBytes}.");
        }

        var bytes = new byte[FrameHeader.Size + size];
        new FrameHeader((uint)size, Stream: 0, type, FrameFlags.None).Write(bytes);
        message.WriteTo(bytes.AsSpan(FrameHeader.Size));
        return new OutgoingFrame(bytes);
    }

    /// <summary>Gives it its stream.</summary>
    public void SetStream(uint stream) => BinaryPrimitives.WriteUInt32BigEndian(Bytes.AsSpan(FrameHeader.StreamAt), stream);

    /// <summary>The connection has all of it.</summary>
    public void SetWritten() => IsWritten = true;
}
