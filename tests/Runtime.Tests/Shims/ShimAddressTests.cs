using System.Text;
using Google.Protobuf;
using ImageStore.Runtime.Protocol.Bootstrap;
using ImageStore.Runtime.Shims;
using ImageStore.Runtime.Tests.Support;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tests.Shims;

public sealed class ShimAddressTests
{
    [Theory]
    [InlineData("unix:///run/s", 2)]
    [InlineData("unix:///run/s\n", 2)]
    [InlineData("""{"version":3,"address":"unix:///run/s","protocol":"ttrpc"}""", 3)]
    [InlineData("""{"address":"unix:///run/s"}""", 2)]
    public void Parse_AnAnswerOfAnyAge(string answer, int version) =>
        Assert.Equal(new ShimAddress(version, "/run/s"), ShimAddress.Parse(Encoding.UTF8.GetBytes(answer)));

    [Fact]
    public void Parse_AMessage() => Assert.Equal(
        new ShimAddress(3, "/run/s"),
        ShimAddress.Parse(new BootstrapResult { Version = 3, Address = "unix:///run/s", Protocol = "ttrpc" }.ToByteArray()));

    [Fact]
    public void ToJson_IsReadAgain() => Assert.Equal(new ShimAddress(3, "/run/s"), ShimAddress.Parse(new ShimAddress(3, "/run/s").ToJson()));

    [Theory]
    [InlineData("", "version 0")]
    [InlineData("no address", "no address")]
    [InlineData("{", "no address")]
    [InlineData("""{"version":"x"}""", "no address")]
    [InlineData("""{"version":4,"address":"unix:///run/s","protocol":"ttrpc"}""", "version 4")]
    [InlineData("""{"version":3,"address":"unix:///run/s","protocol":"grpc"}""", "grpc")]
    [InlineData("""{"version":3,"address":"vsock://2:1024","protocol":"ttrpc"}""", "vsock://2:1024")]
    [InlineData("unix://relative", "unix://relative")]
    public void Parse_WhatIsNotSpoken_SaysWhat(string answer, string word) =>
        Say.Fault(ErrorKind.Unsupported, () => ShimAddress.Parse(Encoding.UTF8.GetBytes(answer)), word);
}
