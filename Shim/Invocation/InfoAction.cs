using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Bootstrap;
using ImageStore.Shim.Logging;
using ImageStore.Shim.Loop;
using ImageStore.Shim.Oci;
using ImageStore.Shim.Processes;
using ImageStore.Shim.Tasks;

namespace ImageStore.Shim.Invocation;

/// <summary><c>-info</c> and <c>-v</c>: what this is.</summary>
internal static class InfoAction
{
    /// <summary>The name under which containerd knows it.</summary>
    public const string RuntimeName = "io.containerd.imagestore.v1";

    private const string FeaturesType = "types.containerd.io/opencontainers/runtime-spec/1/features/Features";
    private const int InputBytes = 1 << 20;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private static string Version => typeof(InfoAction).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>Prints a <c>containerd.types.RuntimeInfo</c>; the options on standard input are given back in it.</summary>
    public static void PrintInfo()
    {
        OwnSignals.Take();
        var input = StandardStreams.ReadInput(InputBytes);
        var info = new RuntimeInfo { Name = RuntimeName, Version = new RuntimeVersion { Version = Version } };
        if (input.Length > 0)
        {
            info.Options = Any.Parser.ParseFrom(input);
        }

        using var loop = new EventLoop();
        var children = new Children(loop.Time);
        using var signals = new SignalReader(loop, children);
        loop.Run(AddFeaturesAsync(loop, children, info));
        StandardStreams.WriteOutput(info.ToByteArray());
    }

    /// <summary>Prints the version as text.</summary>
    public static void PrintVersion() =>
        StandardStreams.WriteOutput(Encoding.UTF8.GetBytes($"{Path.GetFileName(Environment.ProcessPath)}:\n  Version:  {Version}\n"));

    // Some runtimes cannot tell.
    private static async Task AddFeaturesAsync(EventLoop loop, Children children, RuntimeInfo info)
    {
        using var limit = new CancellationTokenSource(s_patience, loop.Time);
        try
        {
            var commands = new CommandRunner(loop, children, ShimEnvironment.OfCommands());
            var features = await RuntimeFeatures.ReadAsync(commands, TaskOptions.Runtime(info.Options), limit.Token).ConfigureAwait(false);
            info.Features = features is null ? null : new Any { TypeUrl = FeaturesType, Value = ByteString.CopyFrom(features) };
        }
        catch (Exception unknown)
        {
            ShimLog.Debug($"The OCI runtime's features are not known: {unknown.Message}");
        }
    }
}
