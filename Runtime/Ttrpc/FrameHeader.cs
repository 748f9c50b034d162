using System.Buffers.Binary;

namespace ImageStore.Runtime.Ttrpc;

/// <summary>The ten bytes before every message: length and stream, big-endian, then type and flags.</summary>
/// <param name="Length">The bytes of the message, without the header.</param>
/// <param name="Stream">The call; a client's are odd and grow.</param>
/// <param name="Type">May be one that nobody knows yet.</param>
/// <param name="Flags">Depend on the type.</param>
internal readonly record struct FrameHeader(uint Length, uint Stream, FrameType Type, FrameFlags Flags)
{
    public const int Size = 10;
    public const int StreamAt = 4;

    private const int TypeAt = 8;
    private const int FlagsAt = 9;

    /// <summary>Reads the first <see cref="Size"/> bytes.</summary>
    public static FrameHeader Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt32BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[StreamAt..]),
        (FrameType)bytes[TypeAt], (FrameFlags)bytes[FlagsAt]);

    /// <summary>Writes <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Length);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[StreamAt..], Stream);
        bytes[TypeAt] = (byte)Type;
        bytes[FlagsAt] = (byte)Flags;
    }
}
