using System.Text;
using Google.Protobuf;
using ImageStore.Runtime.Protocol.Bootstrap;

namespace ImageStore.Shim.Invocation;

/// <summary><c>-info</c> and <c>-v</c>: what this is.</summary>
internal static class InfoAction
{
    /// <summary>The name under which containerd knows it.</summary>
    public const string RuntimeName = "io.containerd.imagestore.v1";

    private const int InputBytes = 1 << 20;

    private static string Version => typeof(InfoAction).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>Prints a <c>containerd.types.RuntimeInfo</c>; the options on standard input are given back in it.</summary>
    public static void PrintInfo()
    {
        var input = StandardStreams.ReadInput(InputBytes);
        var info = new RuntimeInfo { Name = RuntimeName, Version = new RuntimeVersion { Version = Version } };
        if (input.Length > 0)
        {
            info.Options = Google.Protobuf.WellKnownTypes.Any.Parser.ParseFrom(input);
        }

        StandardStreams.WriteOutput(info.ToByteArray());
    }

    /// <summary>Prints the version as text.</summary>
    public static void PrintVersion() =>
        StandardStreams.WriteOutput(Encoding.UTF8.GetBytes($"{Path.GetFileName(Environment.ProcessPath)}:\n  Version:  {Version}\n"));
}
