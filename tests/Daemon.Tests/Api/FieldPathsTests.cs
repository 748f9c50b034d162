using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Daemon.Api;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Tests.Api;

public sealed class FieldPathsTests
{
    private static readonly Dictionary<string, string> s_before = new() { ["a"] = "1", ["b.c/d"] = "2" };

    [Fact]
    public void ToLabels_NoMask_ReplacesAll() =>
        Assert.Equal([new("a", "9")], FieldPaths.ToLabels(null, new MapField<string, string> { ["a"] = "9" }, "x").Apply(s_before));

    [Fact]
    public void ToLabels_TheWholeField_ReplacesAll() =>
        Assert.Equal([new("a", "9")], FieldPaths.ToLabels(Mask("labels"), new MapField<string, string> { ["a"] = "9" }, "x").Apply(s_before));

    [Fact]
    public void ToLabels_OneKey_LeavesTheOthers()
    {
        var after = FieldPaths.ToLabels(Mask("labels.b.c/d"), new MapField<string, string> { ["a"] = "9", ["b.c/d"] = "3" }, "x").Apply(s_before);
        Assert.Equal(["1", "3"], [after["a"], after["b.c/d"]]);
    }

    [Fact]
    public void ToLabels_AKeyThatTheMessageDoesNotHave_RemovesIt() =>
        Assert.Equal([new("a", "1")], FieldPaths.ToLabels(Mask("labels.b.c/d"), [], "x").Apply(s_before));

    [Theory]
    [InlineData("size")]
    [InlineData("labels.")]
    [InlineData("labelsx")]
    [InlineData("")]
    public void ToLabels_AnotherField_IsRefused(string path) =>
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ImageStoreException>(() => FieldPaths.ToLabels(Mask(path), [], "x")).Kind);

    private static FieldMask Mask(params string[] paths) => new() { Paths = { paths } };
}
