using ImageStore.Engine.Prepull;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Tests.Prepull;

/// <summary>The hours in which images may be pulled.</summary>
public sealed class TimeWindowTests
{
    [Theory]
    [InlineData("22:00-05:00", "21:59", false)]
    [InlineData("22:00-05:00", "22:00", true)]
    [InlineData("22:00-05:00", "00:00", true)]
    [InlineData("22:00-05:00", "04:59", true)]
    [InlineData("22:00-05:00", "05:00", false)]
    [InlineData("9:30-17:00", "09:29", false)]
    [InlineData("9:30 - 17:00", "09:30", true)]
    [InlineData("9:30-17:00", "17:00", false)]
    [InlineData("22:00-24:00", "23:59", true)]
    [InlineData("22:00-24:00", "00:00", false)]
    public void IsOpenAt_AnHour_IsOpenFromItsBeginningUntilBeforeItsEnd(string window, string time, bool open) =>
        Assert.Equal(open, TimeWindow.Parse(window).IsOpenAt(At(time)));

    [Theory]
    [InlineData("22:00-05:00", "21:30", 30)]
    [InlineData("22:00-05:00", "05:00", 17 * 60)]
    [InlineData("22:00-05:00", "23:00", 0)]
    [InlineData("01:00-02:00", "23:00", 120)]
    public void UntilOpen_OverMidnightToo_IsTheTimeToItsBeginning(string window, string time, int minutes) =>
        Assert.Equal(TimeSpan.FromMinutes(minutes), TimeWindow.Parse(window).UntilOpen(At(time)));

    [Theory]
    [InlineData("")]
    [InlineData("22:00")]
    [InlineData("22-5")]
    [InlineData("22:00-05:00-06:00")]
    [InlineData("24:00-05:00")]
    [InlineData("22:00-25:00")]
    [InlineData("22:60-05:00")]
    [InlineData("10pm-5am")]
    [InlineData("05:00-05:00")]
    [InlineData("00:00-24:00")]
    public void Parse_WhatIsNoWindow_SaysHowOneIsWritten(string text)
    {
        var failure = Assert.Throws<ImageStoreException>(() => TimeWindow.Parse(text));
        Assert.Equal(ErrorKind.InvalidArgument, failure.Kind);
        Assert.Contains("22:00-05:00", failure.Remedy, StringComparison.Ordinal);
    }

    // Local hours count, whatever they are in UTC.
    private static DateTimeOffset At(string time) => new(new DateOnly(2026, 3, 4), TimeOnly.Parse(time, null), TimeSpan.FromHours(-7));
}
