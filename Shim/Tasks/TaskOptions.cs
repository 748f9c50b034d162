using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Runc;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Tasks;

/// <summary>The options that come with a call.</summary>
internal static class TaskOptions
{
    private const string OptionsType = "containerd.runc.v1.Options";
    private const string GenericType = "runtimeoptions.v1.Options";
    private const string CheckpointType = "containerd.runc.v1.CheckpointOptions";

    /// <summary>Are they a runtime's?</summary>
    public static bool AreOfARuntime(Any options) => NameOf(options) is OptionsType or GenericType;

    /// <summary>The runtime's; the defaults where there are none.</summary>
    /// <exception cref="RpcException">They are of another kind.</exception>
    /// <exception cref="ImageStoreException">They are generic ones, which are malformed.</exception>
    public static Options Runtime(Any? options) => options is not null && NameOf(options) == GenericType
        ? GenericOptions.Read(ImageStore.Runtime.Protocol.Bootstrap.GenericOptions.Parser.ParseFrom(options.Value))
        : Read(options, OptionsType, Options.Parser);

    /// <summary>A checkpoint's; the defaults where there are none.</summary>
    /// <exception cref="RpcException">They are of another kind.</exception>
    public static CheckpointOptions Checkpoint(Any? options) => Read(options, CheckpointType, CheckpointOptions.Parser);

    private static T Read<T>(Any? options, string type, MessageParser<T> parser)
        where T : IMessage<T>, new()
    {
        if (options is null || options.Value.IsEmpty)
        {
            return new T();
        }

        return NameOf(options) == type
            ? parser.ParseFrom(options.Value)
            : throw new RpcException(RpcCode.InvalidArgument, $"Options of the type {Printable.Of(options.TypeUrl)} are not known here: it takes {type}.");
    }

    // Some clients write the URL with a host before it.
    private static string NameOf(Any any) => any.TypeUrl[(any.TypeUrl.LastIndexOf('/') + 1)..];
}
