using CsCheck;
using ImageStore.Runtime.Ttrpc;

namespace ImageStore.Runtime.Tests.Ttrpc;

public sealed class FrameHeaderTests
{
    [Fact]
    public void Write_IsBigEndian()
    {
        var bytes = new byte[FrameHeader.Size];
        new FrameHeader(0x01020304, 0x05060708, FrameType.Data, FrameFlags.RemoteClosed | FrameFlags.NoData).Write(bytes);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 3, 5], bytes);
    }

    [Fact]
    public void Read_OfWhatWasWritten_IsTheSame() =>
        Gen.Select(Gen.UInt, Gen.UInt, Gen.Byte, Gen.Byte).Sample((length, stream, type, flags) =>
        {
            var header = new FrameHeader(length, stream, (FrameType)type, (FrameFlags)flags);
            var bytes = new byte[FrameHeader.Size];
            header.Write(bytes);
            return FrameHeader.Read(bytes) == header;
        });
}
