using ImageStore.Shim.Stdio;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Tests.Stdio;

public sealed class LogUriTests
{
    [Theory]
    [InlineData("/run/fifo/x", "fifo", "/run/fifo/x")]
    [InlineData("", "fifo", "")]
    [InlineData("file:///var/log/a%20b.log", "file", "/var/log/a b.log")]
    [InlineData("binary:///usr/bin/logger", "binary", "/usr/bin/logger")]
    public void Parse_WhatCallsHave_IsUnderstood(string text, string scheme, string path)
    {
        var uri = LogUri.Parse(text);
        Assert.Equal((scheme, path), (uri.Scheme, uri.Path));
    }

    [Fact]
    public void Parse_AQuery_IsArgumentsInTurn() => Assert.Equal(
        ["a", "b c", "flag", string.Empty, "d&", "e"], LogUri.Parse("binary-v2:///x?a=b+c&flag&d%26=e").Arguments);

    [Theory]
    [InlineData("http://host/x")]
    [InlineData("file://relative")]
    [InlineData("binary://")]
    public void Parse_AnythingElse_IsRefused(string text) =>
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ImageStoreException>(() => LogUri.Parse(text)).Kind);
}
