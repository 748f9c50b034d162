using ImageStore.Engine.Pull;
using ImageStore.Gc.Pressure;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Tests.Prepull;

/// <summary>What has to stay free on a disk.</summary>
public sealed class DiskFloorTests
{
    [Theory]
    [InlineData("10%", 300)]
    [InlineData("12.5%", 275)]
    [InlineData("40%", 0)]
    [InlineData("50%", -100)]
    [InlineData("100", 300)]
    [InlineData("1k", -624)]
    public void Room_OfBytesOrAShare_IsWhatIsLeftAboveIt(string floor, long room) =>
        Assert.Equal(room, DiskFloor.Parse(floor).Room(new DiskSpace(1000, 400)));

    [Fact]
    public void Refusal_OfWhatFitsExactly_IsNone_AndOfAByteMoreTellsBoth()
    {
        var floor = DiskFloor.Parse("10%");
        var disk = new DiskSpace(1000, 400);
        Assert.Null(floor.Refusal(disk, 300, "x"));

        var refusal = floor.Refusal(disk, 301, "x")!;
        Assert.Equal(ErrorKind.NoSpace, refusal.Kind);
        Assert.Contains("301 B", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("400 B are free, and 100 B have to stay", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("0%")]
    [InlineData("100%")]
    [InlineData("-5%")]
    [InlineData("lots")]
    public void Parse_WhatIsNeither_IsRefused(string text) =>
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ImageStoreException>(() => DiskFloor.Parse(text)).Kind);
}
