using System.Text;
using System.Text.Json;
using Grpc.Core;
using ImageStore.Daemon.Auditing;
using ImageStore.Daemon.Authorization;

namespace ImageStore.Daemon.Tests.Auditing;

public sealed class AuditLineTests
{
    private static readonly DateTimeOffset s_time = new(2026, 1, 2, 5, 4, 5, TimeSpan.FromHours(2));

    [Fact]
    public void Of_ACall_HasAllOfIt() => Assert.Equal(
        """{"time":"2026-01-02T03:04:05Z","uid":1001,"gid":100,"pid":7,"namespace":"a","method":"/x/Y","about":"a+b","code":"PermissionDenied","more_denied_not_told":true}"""
        + "\n",
        Encoding.UTF8.GetString(AuditLine.Of(s_time, new Peer(1001, 100, 7, []), "/x/Y", "a", "a+b", StatusCode.PermissionDenied, isLast: true)));

    [Fact]
    public void Of_WhatNobodyKnows_LeavesItOut() => Assert.Equal(
        """{"time":"2026-01-02T03:04:05Z","method":"/x/Y","code":"OK"}""" + "\n",
        Encoding.UTF8.GetString(AuditLine.Of(s_time, null, "/x/Y", null, string.Empty, StatusCode.OK, isLast: false)));

    [Theory]
    [InlineData("a\nb", @"a\u000ab")]
    [InlineData("\u001b[2J", @"\u001b[2J")]
    [InlineData("\"},{\"uid\":0", "\"},{\"uid\":0")]
    [InlineData("\u2028\u202e", "\u2028\\u202e")]
    public void Of_TextThatAClientChose_IsOneLineOfHarmlessCharacters(string text, string told)
    {
        var line = AuditLine.Of(s_time, null, text, text, text, StatusCode.OK, isLast: false);
        Assert.Equal(line.Length - 1, Array.FindIndex(line, one => one is < 0x20 or 0x7f));
        Assert.DoesNotContain("\u2028", Encoding.UTF8.GetString(line), StringComparison.Ordinal);
        using var parsed = JsonDocument.Parse(line);
        Assert.All((string[])["namespace", "method", "about"], name => Assert.Equal(told, parsed.RootElement.GetProperty(name).GetString()));
    }

    [Fact]
    public void Of_ALongText_IsCut() =>
        Assert.InRange(AuditLine.Of(s_time, null, "/x/Y", "a", new string('a', 1 << 20), StatusCode.OK, isLast: false).Length, 500, 1000);
}
