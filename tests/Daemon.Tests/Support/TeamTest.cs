using Grpc.Core;
using Grpc.Net.Client;
using ImageStore.Daemon.Protocol.NamespacesV1;
using ImageStore.Distribution.Registry;
using ImageStore.TestKit;

namespace ImageStore.Daemon.Tests.Support;

/// <summary>A daemon with the namespace <c>team</c> and users who may write, read or administer it, beside a registry that has an image.</summary>
public abstract class TeamTest : IAsyncLifetime
{
    private protected const uint Writer = 1001;
    private protected const uint Other = 1002;
    private protected const uint Reader = 1003;
    private protected const uint Administrator = 1004;
    private const uint Door = 4242;

    private const string Configuration =
        """
        [daemon]
        socket_group = 4242
        [[access]]
        users = [1001, 1002]
        namespaces = ["team"]
        may = ["write"]
        [[access]]
        users = [1003]
        namespaces = ["team"]
        may = ["read"]
        [[access]]
        users = [1004]
        namespaces = ["team"]
        may = ["administer"]
        """;

    private readonly Dictionary<uint, GrpcChannel> _channels = [];

    private protected static Metadata InTeam { get; } = RunningDaemon.In("team");

    private protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    private protected DirectoryInfo Hosts { get; } = Directory.CreateTempSubdirectory("hosts-");

    private protected FakeRegistry Registry { get; } = new();

    private protected RunningDaemon Daemon { get; private set; } = null!;

    private protected string Reference => $"{Registry.Host}/{ImageBuilder.Repository}:1";

    public async ValueTask InitializeAsync()
    {
        Somebody.NeedRoot();
        Daemon = await RunningDaemon.StartAsync(Configuration, new RegistryOptions { HostsDirectories = [Hosts.FullName] });
        await new Namespaces.NamespacesClient(Daemon.Channel).CreateAsync(
            new CreateNamespaceRequest { Namespace = new Namespace { Name = "team" } }, cancellationToken: Ct);
        Registry.AddImage("1", ImageBuilder.Tar("a", 10));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in _channels.Values)
        {
            channel.Dispose();
        }

        await (Daemon?.DisposeAsync() ?? ValueTask.CompletedTask);
        await Registry.DisposeAsync();
        Hosts.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>That user's connection.</summary>
    private protected GrpcChannel As(uint user) => _channels.TryGetValue(user, out var known) ? known : _channels[user] = Daemon.As(user, Door);
}
