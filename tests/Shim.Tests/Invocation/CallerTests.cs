using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Bootstrap;
using ImageStore.Runtime.Protocol.Runc;
using ImageStore.Shim.Invocation;

namespace ImageStore.Shim.Tests.Invocation;

public sealed class CallerTests
{
    private const string Address = "unix:///run/containerd/s/1";

    private static readonly ShimArguments s_arguments = ShimArguments.Parse(["-namespace", "n", "-id", "one", "start"]);
    private static readonly Any s_options = new()
    {
        TypeUrl = "containerd.runc.v1.Options",
        Value = new Options { ShimCgroup = "/shims" }.ToByteString(),
    };

    [Fact]
    public void Answer_ToOneThatSaysNothing_IsTheBareAddress() =>
        Assert.Equal(Address, Encoding.UTF8.GetString(Caller.Read([], s_arguments).Answer(Address)));

    [Fact]
    public void Answer_ToOneThatGivesItsOptions_IsTheBareAddress()
    {
        var caller = Caller.Read(s_options.ToByteArray(), s_arguments);
        Assert.Equal(("/shims", Address), (caller.Options.ShimCgroup, Encoding.UTF8.GetString(caller.Answer(Address))));
    }

    [Fact]
    public void Read_OptionsAsToml_AreReadAsCallsHaveThem()
    {
        var generic = new ImageStore.Runtime.Protocol.Bootstrap.GenericOptions { ConfigBody = ByteString.CopyFromUtf8("ShimCgroup = \"/shims\"") };
        var told = new Any { TypeUrl = "type.googleapis.com/runtimeoptions.v1.Options", Value = generic.ToByteString() };
        Assert.Equal("/shims", Caller.Read(told.ToByteArray(), s_arguments).Options.ShimCgroup);
    }

    [Fact]
    public void Read_WhereEventsGo_IsPassedOn()
    {
        var told = new BootstrapParams { InstanceId = "one", Namespace = "n", ContainerdTtrpcAddress = "/run/events" };
        var caller = Caller.Read(told.ToByteArray(), s_arguments);
        Assert.Contains("TTRPC_ADDRESS=/run/events", ShimEnvironment.OfShim(caller.EventsSocket));
    }

    [Fact]
    public void Answer_ToOneThatSaysWhoItIs_IsAMessage()
    {
        var told = new BootstrapParams { InstanceId = "one", Namespace = "n", Extensions = { new ImageStore.Runtime.Protocol.Bootstrap.Extension { Value = s_options } } };
        var caller = Caller.Read(told.ToByteArray(), s_arguments);
        var result = BootstrapResult.Parser.ParseFrom(caller.Answer(Address));
        Assert.Equal(("/shims", 3, Address, "ttrpc"), (caller.Options.ShimCgroup, result.Version, result.Address, result.Protocol));
    }

    [Fact]
    public void Read_ParametersOfAnother_AreNotTaken() =>
        Assert.Null(Caller.Read(new BootstrapParams { InstanceId = "two", Namespace = "n" }.ToByteArray(), s_arguments).Bootstrap);
}
