using System.Text.Json.Nodes;
using ImageStore.Engine.Commit;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Tests.Commit;

public sealed class ConfigChangesTests
{
    private const string Base =
        """{"Env":["PATH=/bin","A=1"],"Cmd":["/old"],"WorkingDir":"/srv","Labels":{"a":"1"},"ExposedPorts":{"80/tcp":{}}}""";

    [Theory]
    [InlineData("ENV A=2", """{"Env":["PATH=/bin","A=2"]}""")]
    [InlineData("env B=two C='three four' D=\\\"", """{"Env":["PATH=/bin","A=1","B=two","C=three four","D=\""]}""")]
    [InlineData("ENV B two three", """{"Env":["PATH=/bin","A=1","B=two three"]}""")]
    [InlineData("CMD [\"/new\", \"-x\"]", """{"Cmd":["/new","-x"]}""")]
    [InlineData("CMD echo hi", """{"Cmd":["/bin/sh","-c","echo hi"]}""")]
    [InlineData("ENTRYPOINT [\"/e\"]", """{"Entrypoint":["/e"],"Cmd":null}""")]
    [InlineData("WORKDIR /abs/x/..", """{"WorkingDir":"/abs"}""")]
    [InlineData("WORKDIR rel", """{"WorkingDir":"/srv/rel"}""")]
    [InlineData("WORKDIR ../../..", """{"WorkingDir":"/"}""")]
    [InlineData("USER 1000:1000", """{"User":"1000:1000"}""")]
    [InlineData("LABEL a=2 \"b c\"=3", """{"Labels":{"a":"2","b c":"3"}}""")]
    [InlineData("EXPOSE 53/udp 8000-8002", """{"ExposedPorts":{"80/tcp":{},"53/udp":{},"8000/tcp":{},"8001/tcp":{},"8002/tcp":{}}}""")]
    [InlineData("VOLUME [\"/v\"]", """{"Volumes":{"/v":{}}}""")]
    [InlineData("VOLUME /v /w", """{"Volumes":{"/v":{},"/w":{}}}""")]
    [InlineData("STOPSIGNAL SIGINT", """{"StopSignal":"SIGINT"}""")]
    public void Apply_OfOneChange_ChangesThatAlone(string change, string expected)
    {
        var config = new JsonObject { ["config"] = JsonNode.Parse(Base), ["other"] = 1 };
        ConfigChanges.Parse([change]).ApplyTo(config);
        var wanted = JsonNode.Parse(Base)!.AsObject();
        foreach (var (key, value) in JsonNode.Parse(expected)!.AsObject())
        {
            wanted.Remove(key);
            if (value is not null)
            {
                wanted[key] = value.DeepClone();
            }
        }

        Assert.True(JsonNode.DeepEquals(wanted, config["config"]), config.ToJsonString());
        Assert.Equal(1, config["other"]!.GetValue<int>());
    }

    [Fact]
    public void Apply_OfSeveral_GoesInTheirOrder()
    {
        var config = new JsonObject();
        ConfigChanges.Parse(["CMD [\"a\"]", "ENTRYPOINT [\"e\"]", "ENV A=1", "ENV A=2", "WORKDIR /a", "WORKDIR b"]).ApplyTo(config);
        Assert.Equal(
            """{"config":{"Cmd":["a"],"Entrypoint":["e"],"Env":["A=2"],"WorkingDir":"/a/b"}}""", config.ToJsonString());
        var untouched = new JsonObject();
        ConfigChanges.Parse([]).ApplyTo(untouched);
        Assert.Empty(untouched);
    }

    [Theory]
    [InlineData("", ErrorKind.InvalidArgument)]
    [InlineData("ENV", ErrorKind.InvalidArgument)]
    [InlineData("ENV A", ErrorKind.InvalidArgument)]
    [InlineData("ENV =b", ErrorKind.InvalidArgument)]
    [InlineData("ENV A='b", ErrorKind.InvalidArgument)]
    [InlineData("CMD [\"a\"", ErrorKind.InvalidArgument)]
    [InlineData("CMD [1]", ErrorKind.InvalidArgument)]
    [InlineData("EXPOSE 0", ErrorKind.InvalidArgument)]
    [InlineData("EXPOSE 70000", ErrorKind.InvalidArgument)]
    [InlineData("EXPOSE 9-8", ErrorKind.InvalidArgument)]
    [InlineData("EXPOSE 1-2-3", ErrorKind.InvalidArgument)]
    [InlineData("EXPOSE 80/icmp", ErrorKind.InvalidArgument)]
    [InlineData("RUN rm -rf /", ErrorKind.Unsupported)]
    [InlineData("HEALTHCHECK NONE", ErrorKind.Unsupported)]
    public void Parse_OfWhatIsNoChange_IsRefused(string change, ErrorKind kind)
    {
        var failure = Assert.Throws<ImageStoreException>(() => ConfigChanges.Parse([change]));
        Assert.Equal(kind, failure.Kind);
        Assert.NotNull(failure.Remedy);
    }
}
