using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Bootstrap;
using ImageStore.Runtime.Protocol.Runc;
using ImageStore.Shim.Tasks;

namespace ImageStore.Shim.Invocation;

/// <summary>The containerd that asks for a shim, which since 2.3 says more on standard input and reads its answer as a message.</summary>
/// <param name="Bootstrap">What it said, or null of an older one.</param>
/// <param name="Options">The runtime's options, as far as they came.</param>
internal sealed record Caller(BootstrapParams? Bootstrap, Options Options)
{
    private const int NewestVersion = 3;

    /// <summary>containerd's socket for events, where it says so here; else empty.</summary>
    public string EventsSocket => Bootstrap?.ContainerdTtrpcAddress ?? string.Empty;

    /// <summary>Reads standard input: parameters, or of an older containerd its options or nothing.</summary>
    public static Caller Read(byte[] input, ShimArguments arguments)
    {
        // The options of an older one can be read as parameters too, but then name nothing that the arguments do.
        return TryParse(BootstrapParams.Parser, input) is { } told && told.InstanceId == arguments.Id && told.Namespace == arguments.Namespace
            ? new Caller(told, OptionsIn([.. told.Extensions.Select(extension => extension.Value)]))
            : new Caller(null, OptionsIn(TryParse(Any.Parser, input) is { } options ? [options] : []));
    }

    /// <summary>The answer: where the shim listens.</summary>
    /// <remarks>The bare address is what every containerd before 2.3 understands, and takes for version 2 of the service.</remarks>
    public byte[] Answer(string address) => Bootstrap is null
        ? Encoding.UTF8.GetBytes(address)
        : new BootstrapResult { Version = NewestVersion, Address = address, Protocol = "ttrpc" }.ToByteArray();

    private static Options OptionsIn(IReadOnlyList<Any?> told) =>
        TaskOptions.Runtime(told.FirstOrDefault(any => any is not null && TaskOptions.AreOfARuntime(any)));

    private static T? TryParse<T>(MessageParser<T> parser, byte[] bytes)
        where T : class, IMessage<T>
    {
        try
        {
            return bytes.Length > 0 ? parser.ParseFrom(bytes) : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
