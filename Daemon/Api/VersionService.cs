using System.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using V1 = ImageStore.Daemon.Protocol.VersionV1;

namespace ImageStore.Daemon.Api;

/// <summary><c>containerd.services.version.v1</c>.</summary>
internal sealed class VersionService : V1.Version.VersionBase
{
    /// <summary>The release of containerd whose clients the tests run; clients read what they may expect out of it.</summary>
    private const string Level = "1.6.20";

    public static string Text { get; } = $"{Level}+imagestore.{typeof(VersionService).Assembly.GetName().Version?.ToString(3)}";

    public static string Revision { get; } =
        typeof(VersionService).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, var revision]
            ? revision
            : string.Empty;

    public override Task<V1.VersionResponse> Version(Empty request, ServerCallContext context) =>
        Task.FromResult(new V1.VersionResponse { Version = Text, Revision = Revision });
}
