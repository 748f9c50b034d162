using Google.Protobuf;
using ImageStore.Runtime.Protocol.Rpc;
using ImageStore.Runtime.Ttrpc;

namespace ImageStore.Runtime.Tests.Support;

/// <summary>Frames as bytes, right and wrong ones.</summary>
internal static class Frames
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    public static byte[] Of(uint stream, FrameType type, byte[] message, FrameFlags flags = FrameFlags.None, uint? length = null)
    {
        var frame = new byte[FrameHeader.Size + message.Length];
        new FrameHeader(length ?? (uint)message.Length, stream, type, flags).Write(frame);
        message.CopyTo(frame, FrameHeader.Size);
        return frame;
    }

    public static byte[] Call(uint stream, string method, string text = "", long timeout = 0) => Of(
        stream, FrameType.Request,
        new Request { Service = "echo", Method = method, Payload = new KeyValue { Value = text }.ToByteString(), TimeoutNano = timeout }.ToByteArray());

    public static async Task<(uint Stream, Response Response)> ReadAsync(Stream connection)
    {
        var frame = await new FrameReader(connection).ReadAsync(CancellationToken.None).AsTask().WaitAsync(s_patience) ?? throw new EndOfStreamException();
        Assert.Equal(FrameType.Response, frame.Header.Type);
        return (frame.Header.Stream, Response.Parser.ParseFrom(frame.Message));
    }

    public static string TextOf(Response response) => KeyValue.Parser.ParseFrom(response.Payload).Value;
}
