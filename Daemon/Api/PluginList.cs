using ImageStore.Daemon.Protocol.IntrospectionV1;
using ImageStore.Engine.Serving;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Daemon.Api;

/// <summary>The daemon's parts under the names that containerd's have, so that clients find what they ask for.</summary>
internal sealed class PluginList(ServedStore store) : IDisposable
{
    public const string SnapshotterType = "io.containerd.snapshotter.v1";
    private const string ProbedNamespace = "default";

    private static readonly string[] s_services =
        ["containers", "content", "diff", "events", "healthcheck", "images", "introspection", "leases", "namespaces", "snapshots", "streaming", "tasks", "transfer", "version"];

    private readonly SemaphoreSlim _once = new(1, 1);
    private IReadOnlyList<Plugin>? _known;

    /// <summary>All of them; the first call finds out which snapshotters the filesystem can do.</summary>
    public async Task<IReadOnlyList<Plugin>> ListAsync(CancellationToken cancellationToken)
    {
        await _once.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return _known ??= [.. await MakeAsync(cancellationToken).ConfigureAwait(false)];
        }
        finally
        {
            _once.Release();
        }
    }

    public void Dispose() => _once.Dispose();

    private async Task<List<Plugin>> MakeAsync(CancellationToken cancellationToken)
    {
        List<Plugin> plugins =
        [
            new() { Type = "io.containerd.content.v1", Id = "content", Exports = { ["root"] = Path.Combine(store.Root, "content") } },
            new() { Type = "io.containerd.metadata.v1", Id = "litedb", Requires = { "io.containerd.content.v1", SnapshotterType } },
            new() { Type = "io.containerd.differ.v1", Id = "walking", Requires = { "io.containerd.metadata.v1" }, Platforms = { Own() } },
            new() { Type = "io.containerd.gc.v1", Id = "scheduler", Requires = { "io.containerd.metadata.v1" } },
            new() { Type = "io.containerd.runtime.v2", Id = "task", Requires = { "io.containerd.metadata.v1" }, Platforms = { Own() } },
            new() { Type = "io.containerd.streaming.v1", Id = "manager" },
            new() { Type = "io.containerd.transfer.v1", Id = "local", Requires = { "io.containerd.metadata.v1" }, Platforms = { Own() } },
        ];
        foreach (var name in SnapshotterFactory.Names)
        {
            plugins.Add(await SnapshotterAsync(name, cancellationToken).ConfigureAwait(false));
        }

        plugins.AddRange(s_services.Select(id => new Plugin { Type = "io.containerd.grpc.v1", Id = id }));
        return plugins;
    }

    private async Task<Plugin> SnapshotterAsync(string name, CancellationToken cancellationToken)
    {
        var plugin = new Plugin
        {
            Type = SnapshotterType, Id = name, Platforms = { Own() }, Exports = { ["root"] = SnapshotPlaces.FolderOf(store.Root, name) },
        };
        try
        {
            await store.SnapshotterAsync(ProbedNamespace, name, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageStoreException refused)
        {
            plugin.InitErr = new Runtime.Protocol.Rpc.Status { Code = (int)GrpcErrors.CodeOf(refused.Kind), Message = refused.Message };
        }

        return plugin;
    }

    private static Runtime.Protocol.Types.Platform Own() => new()
    {
        Os = Platform.Current.Os, Architecture = Platform.Current.Architecture, Variant = Platform.Current.Variant ?? string.Empty,
    };
}
