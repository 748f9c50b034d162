using System.Text.Json.Nodes;
using ImageStore.Engine.Rebase;

namespace ImageStore.Engine.Tests.Rebase;

public sealed class ConfigMergeTests
{
    [Theory]
    [InlineData("""{"Env":["A=1","B=1"]}""", """{"Env":["A=1"]}""", """{"Env":["A=2","C=2"]}""", """{"Env":["A=2","C=2","B=1"]}""")]
    [InlineData("""{"Env":["A=mine"]}""", """{"Env":["A=1","D=1"]}""", """{"Env":["A=2","D=1"]}""", """{"Env":["A=mine"]}""")]
    [InlineData("""{"Labels":{"a":"1"}}""", """{"Labels":{"a":"1","b":"1"}}""", """{"Labels":{"a":"2","b":"2"}}""", """{"Labels":{"a":"2"}}""")]
    [InlineData("""{"Cmd":["x"],"User":"u"}""", """{"Cmd":["x"]}""", """{"Cmd":["y"],"User":"v"}""", """{"Cmd":["y"],"User":"u"}""")]
    [InlineData("""{"ExposedPorts":{"80/tcp":{}}}""", "{}", """{"ExposedPorts":{"22/tcp":{}}}""", """{"ExposedPorts":{"22/tcp":{},"80/tcp":{}}}""")]
    [InlineData("{}", """{"User":"u"}""", """{"User":"v"}""", "{}")]
    [InlineData("""{"User":"u"}""", """{"User":"u"}""", "{}", "{}")]
    public void Merge_TakesWhatIsInheritedFromTheNewBaseAndTheRestFromTheImage(string image, string oldBase, string newBase, string expected)
    {
        var merged = ConfigMerge.Merge(Parse(image), Parse(oldBase), Parse(newBase));
        Assert.True(JsonNode.DeepEquals(Parse(expected), merged), merged.ToJsonString());
    }

    private static JsonObject Parse(string text) => JsonNode.Parse(text)!.AsObject();
}
