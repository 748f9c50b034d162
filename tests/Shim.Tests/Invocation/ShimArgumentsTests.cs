using ImageStore.Shim.Invocation;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Tests.Invocation;

public sealed class ShimArgumentsTests
{
    [Fact]
    public void Parse_WhatContainerdGives_IsUnderstood()
    {
        var parsed = ShimArguments.Parse(
            ["-namespace", "k8s.io", "-address", "/run/c.sock", "-publish-binary", "/usr/bin/containerd", "-id", "one", "-bundle", "/b", "-debug", "delete"]);
        Assert.Equal(
            ("k8s.io", "/run/c.sock", "one", "/b", true, "delete"),
            (parsed.Namespace, parsed.Address, parsed.Id, parsed.Bundle, parsed.IsDebugging, parsed.Action));
    }

    [Fact]
    public void Parse_TwoDashesAndEquals_AreTheSame()
    {
        var parsed = ShimArguments.Parse(["--namespace=n", "--id=a=b", "start"]);
        Assert.Equal(("n", "a=b", "start"), (parsed.Namespace, parsed.Id, parsed.Action));
    }

    [Theory]
    [InlineData("-unheard-of", "x")]
    [InlineData("-id")]
    public void Parse_WhatNobodyKnows_IsRefused(params string[] arguments) =>
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ImageStoreException>(() => ShimArguments.Parse(arguments)).Kind);
}
