using ImageStore.Runtime.Tests.Support;
using ImageStore.Runtime.Users;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tests.Users;

public sealed class UserTextTests
{
    [Theory]
    [InlineData("2147483648")]
    [InlineData("4294967295")]
    [InlineData("4294967296")]
    [InlineData("18446744073709551616")]
    [InlineData("1:4294967296")]
    [InlineData("99999999999999999999999999999")]
    [InlineData("a:b:c")]
    [InlineData("::")]
    [InlineData("a\nroot")]
    [InlineData("a\u001b[31m")]
    public void Parse_OfWhatIsNone_IsRefused(string text) =>
        Say.Fault(ErrorKind.InvalidArgument, () => UserText.Parse(text), "The user '");

    [Fact]
    public void Parse_OfDigits_IsNeverAName()
    {
        Assert.Equal(new AccountText(null, 12), UserText.Parse("0012").User);
        Assert.Equal(new AccountText("-1", null), UserText.Parse("-1").User);
        Assert.Equal(new AccountText("+5", null), UserText.Parse("+5").User);
        Assert.Equal(new AccountText("٣", null), UserText.Parse("٣").User);
    }
}
