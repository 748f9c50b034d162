using Grpc.Core;
using Grpc.Net.Client;
using ImageStore.Daemon.Protocol.DiffV1;
using ImageStore.Daemon.Protocol.NamespacesV1;
using ImageStore.Daemon.Protocol.SnapshotsV1;
using ImageStore.Runtime.Protocol.Types;
using ImageStore.Daemon.Tests.Support;

namespace ImageStore.Daemon.Tests.Authorization;

/// <summary>Mounts are directories that the daemon reads and writes as root, and a request may name any.</summary>
public sealed class MountAccessTests : IAsyncLifetime
{
    private const string Native = "native";
    private static readonly Metadata s_mine = RunningDaemon.In("mine");
    private static readonly Metadata s_theirs = RunningDaemon.In("theirs");
    private RunningDaemon _daemon = null!;
    private GrpcChannel _channel = null!;

    private Diff.DiffClient Client => new(_channel);

    public async ValueTask InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }

        _daemon = await RunningDaemon.StartAsync(
            """
            [daemon]
            socket_group = 4242
            [[access]]
            users = [1001]
            namespaces = ["mine"]
            may = ["read", "write"]
            """);
        _channel = _daemon.As(1001, 4242);
        foreach (var name in (string[])["mine", "theirs"])
        {
            await new Namespaces.NamespacesClient(_daemon.Channel).CreateAsync(new CreateNamespaceRequest { Namespace = new() { Name = name } });
        }
    }

    public async ValueTask DisposeAsync()
    {
        _channel?.Dispose();
        await (_daemon?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    [Fact]
    public async Task Diff_OfADirectoryOfTheMachine_IsDenied()
    {
        Somebody.NeedRoot();
        var secret = Directory.CreateDirectory(Path.Combine(_daemon.Work, "secret")).FullName;
        await File.WriteAllTextAsync(Path.Combine(secret, "file"), "secret", TestContext.Current.CancellationToken);
        var denied = await Calls.FailsAsync(Client.DiffAsync(new DiffRequest { Right = { Bind(secret) } }, s_mine), StatusCode.PermissionDenied);
        Assert.Contains("The user 1001 may give the mounts of snapshots and views of the namespace 'mine' alone", denied.Detail, StringComparison.Ordinal);
        await Calls.FailsAsync(Client.DiffAsync(new DiffRequest { Left = { Bind(secret) } }, s_mine), StatusCode.PermissionDenied);

        // Root may, as ever.
        await new Diff.DiffClient(_daemon.Channel).DiffAsync(new DiffRequest { Right = { Bind(secret) } }, s_mine);
    }

    [Fact]
    public async Task Diff_OfAnothersSnapshot_IsDeniedAndOfAnOwnOneDone()
    {
        var theirs = await new Snapshots.SnapshotsClient(_daemon.Channel).PrepareAsync(new PrepareSnapshotRequest { Snapshotter = Native, Key = "a" }, s_theirs);
        var mine = await PrepareAsync();
        await Calls.FailsAsync(Client.DiffAsync(new DiffRequest { Right = { theirs.Mounts } }, s_mine), StatusCode.PermissionDenied);
        Assert.NotEmpty((await Client.DiffAsync(new DiffRequest { Right = { mine } }, s_mine)).Diff.Digest);
    }

    [Fact]
    public async Task Apply_IntoWhatWasNotHandedOut_IsDenied()
    {
        var theirs = await new Snapshots.SnapshotsClient(_daemon.Channel).PrepareAsync(new PrepareSnapshotRequest { Snapshotter = Native, Key = "a" }, s_theirs);
        var mine = Assert.Single(await PrepareAsync());
        await DeniedAsync(theirs.Mounts);
        await DeniedAsync([Bind(_daemon.Work)]);

        // Almost what was handed out.
        await DeniedAsync([Bind(mine.Source + "/..")]);
        await DeniedAsync([mine, Bind(_daemon.Work)]);
        await DeniedAsync([new Mount(mine) { Options = { "uidmap=0:0:1" } }]);
        await DeniedAsync([new Mount(mine) { Type = "overlay", Options = { $"upperdir={_daemon.Work}", $"lowerdir={mine.Source}" } }]);

        // What was is looked at further: there is no such layer.
        await Calls.FailsAsync(Client.ApplyAsync(Layer([mine]), s_mine), StatusCode.NotFound);

        async Task DeniedAsync(IEnumerable<Mount> mounts) => await Calls.FailsAsync(Client.ApplyAsync(Layer(mounts), s_mine), StatusCode.PermissionDenied);
    }

    private static Mount Bind(string source) => new() { Type = "bind", Source = source, Options = { "rw", "rbind" } };

    private static ApplyRequest Layer(IEnumerable<Mount> mounts) => new()
    {
        Diff = new() { MediaType = "application/vnd.oci.image.layer.v1.tar", Digest = Blobs.DigestOf("layer"), Size = 5 }, Mounts = { mounts },
    };

    private async Task<IEnumerable<Mount>> PrepareAsync()
    {
        Somebody.NeedRoot();
        return (await new Snapshots.SnapshotsClient(_channel).PrepareAsync(new PrepareSnapshotRequest { Snapshotter = Native, Key = "a" }, s_mine)).Mounts;
    }
}
