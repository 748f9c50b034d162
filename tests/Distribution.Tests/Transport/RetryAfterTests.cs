using ImageStore.Distribution.Transport;

namespace ImageStore.Distribution.Tests.Transport;

public sealed class RetryAfterTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("0", 0)]
    [InlineData("7", 7)]
    [InlineData("86400", 60)]
    [InlineData("99999999999999999999", null)]
    [InlineData("Mon, 23 Nov 2026 12:00:05 GMT", 5)]
    [InlineData("Mon, 23 Nov 2026 11:00:00 GMT", 0)]
    [InlineData("Tue, 23 Nov 2027 12:00:00 GMT", 60)]
    [InlineData("-3", null)]
    [InlineData("soon", null)]
    [InlineData(null, null)]
    public void Parse_Value_IsAtMostTheCap(string? value, int? seconds) =>
        Assert.Equal(
            seconds is { } some ? TimeSpan.FromSeconds(some) : null,
            RetryAfter.Parse(value, s_now, TimeSpan.FromSeconds(60)));
}
