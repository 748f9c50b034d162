using System.Collections.Frozen;
using ImageStore.Engine.Configuration;

namespace ImageStore.Daemon.Authorization;

/// <summary>What each method of the API needs. One that is not here is refused.</summary>
internal static class MethodRights
{
    private static readonly MethodRight s_anybody = new(AccessRights.None, NamespaceSource.None);
    private static readonly MethodRight s_read = new(AccessRights.Read, NamespaceSource.Header);
    private static readonly MethodRight s_write = new(AccessRights.Write, NamespaceSource.Header);
    private static readonly MethodRight s_run = new(AccessRights.Run, NamespaceSource.Header);
    private static readonly MethodRight s_readNamed = new(AccessRights.Read, NamespaceSource.Request);
    private static readonly MethodRight s_writeNamed = new(AccessRights.Write, NamespaceSource.Request);
    private static readonly MethodRight s_administerAll = new(AccessRights.Administer, NamespaceSource.All);
    private static readonly MethodRight s_administer = new(AccessRights.Administer, NamespaceSource.Request);

    /// <summary>All of them, by their paths.</summary>
    public static FrozenDictionary<string, MethodRight> All { get; } = new Dictionary<string, MethodRight>(StringComparer.Ordinal)
    {
        ["/containerd.services.version.v1.Version/Version"] = s_anybody,
        ["/containerd.services.introspection.v1.Introspection/Plugins"] = s_anybody,
        ["/containerd.services.introspection.v1.Introspection/Server"] = s_anybody,
        ["/containerd.services.introspection.v1.Introspection/PluginInfo"] = s_anybody,
        ["/grpc.health.v1.Health/Check"] = s_anybody,
        ["/grpc.health.v1.Health/Watch"] = s_anybody,

        ["/containerd.services.namespaces.v1.Namespaces/Get"] = s_readNamed,
        ["/containerd.services.namespaces.v1.Namespaces/List"] = s_anybody, // only those that the caller may read
        ["/containerd.services.namespaces.v1.Namespaces/Create"] = s_administer,
        ["/containerd.services.namespaces.v1.Namespaces/Update"] = s_administer,
        ["/containerd.services.namespaces.v1.Namespaces/Delete"] = s_administer,

        ["/containerd.services.leases.v1.Leases/List"] = s_read,
        ["/containerd.services.leases.v1.Leases/ListResources"] = s_read,
        ["/containerd.services.leases.v1.Leases/Create"] = s_write,
        ["/containerd.services.leases.v1.Leases/Delete"] = s_write,
        ["/containerd.services.leases.v1.Leases/AddResource"] = s_write,
        ["/containerd.services.leases.v1.Leases/DeleteResource"] = s_write,

        ["/containerd.services.content.v1.Content/Info"] = s_read,
        ["/containerd.services.content.v1.Content/List"] = s_read,
        ["/containerd.services.content.v1.Content/Read"] = s_read,
        ["/containerd.services.content.v1.Content/Status"] = s_read,
        ["/containerd.services.content.v1.Content/ListStatuses"] = s_read,
        ["/containerd.services.content.v1.Content/Update"] = s_write,
        ["/containerd.services.content.v1.Content/Delete"] = s_write,
        ["/containerd.services.content.v1.Content/Write"] = s_write,
        ["/containerd.services.content.v1.Content/Abort"] = s_write,

        ["/containerd.services.images.v1.Images/Get"] = s_read,
        ["/containerd.services.images.v1.Images/List"] = s_read,
        ["/containerd.services.images.v1.Images/Create"] = s_write,
        ["/containerd.services.images.v1.Images/Update"] = s_write,
        ["/containerd.services.images.v1.Images/Delete"] = s_write,

        ["/containerd.services.snapshots.v1.Snapshots/Mounts"] = s_read,
        ["/containerd.services.snapshots.v1.Snapshots/Stat"] = s_read,
        ["/containerd.services.snapshots.v1.Snapshots/List"] = s_read,
        ["/containerd.services.snapshots.v1.Snapshots/Usage"] = s_read,
        ["/containerd.services.snapshots.v1.Snapshots/Prepare"] = s_write,
        ["/containerd.services.snapshots.v1.Snapshots/View"] = s_write,
        ["/containerd.services.snapshots.v1.Snapshots/Commit"] = s_write,
        ["/containerd.services.snapshots.v1.Snapshots/Remove"] = s_write,
        ["/containerd.services.snapshots.v1.Snapshots/Update"] = s_write,
        ["/containerd.services.snapshots.v1.Snapshots/Cleanup"] = s_write,

        ["/containerd.services.diff.v1.Diff/Apply"] = s_write,
        ["/containerd.services.diff.v1.Diff/Diff"] = s_write,

        ["/containerd.services.streaming.v1.Streaming/Stream"] = s_read, // what is done with it, its call needs a right for
        ["/containerd.services.transfer.v1.Transfer/Transfer"] = s_write,

        ["/imagestore.services.store.v1.Store/Pull"] = s_write,
        ["/imagestore.services.store.v1.Store/Find"] = s_read,
        ["/imagestore.services.store.v1.Store/Tag"] = s_write,
        ["/imagestore.services.store.v1.Store/Pin"] = s_write,
        ["/imagestore.services.store.v1.Store/Remove"] = s_write,
        ["/imagestore.services.store.v1.Store/Collect"] = s_administerAll, // what went is everybody's
        ["/imagestore.services.store.v1.Store/CreateNamespace"] = s_administer,
        ["/imagestore.services.store.v1.Store/Limit"] = s_administer,

        ["/containerd.services.containers.v1.Containers/Get"] = s_read,
        ["/containerd.services.containers.v1.Containers/List"] = s_read,
        ["/containerd.services.containers.v1.Containers/ListStream"] = s_read,
        ["/containerd.services.containers.v1.Containers/Create"] = s_run, // what is run, and by which program
        ["/containerd.services.containers.v1.Containers/Update"] = s_run,
        ["/containerd.services.containers.v1.Containers/Delete"] = s_run,

        ["/containerd.services.tasks.v1.Tasks/Get"] = s_read,
        ["/containerd.services.tasks.v1.Tasks/List"] = s_read,
        ["/containerd.services.tasks.v1.Tasks/ListPids"] = s_read,
        ["/containerd.services.tasks.v1.Tasks/Metrics"] = s_read,
        ["/containerd.services.tasks.v1.Tasks/Wait"] = s_read,
        ["/containerd.services.tasks.v1.Tasks/Create"] = s_run,
        ["/containerd.services.tasks.v1.Tasks/Start"] = s_run,
        ["/containerd.services.tasks.v1.Tasks/Delete"] = s_run,
        ["/containerd.services.tasks.v1.Tasks/DeleteProcess"] = s_run,
        ["/containerd.services.tasks.v1.Tasks/Kill"] = s_run,
        ["/containerd.services.tasks.v1.Tasks/Exec"] = s_run,
        ["/containerd.services.tasks.v1.Tasks/ResizePty"] = s_run,
        ["/containerd.services.tasks.v1.Tasks/CloseIO"] = s_run,
        ["/containerd.services.tasks.v1.Tasks/Pause"] = s_run,
        ["/containerd.services.tasks.v1.Tasks/Resume"] = s_run,
        ["/containerd.services.tasks.v1.Tasks/Update"] = s_run,

        ["/containerd.services.events.v1.Events/Publish"] = s_write,
        ["/containerd.services.events.v1.Events/Forward"] = s_writeNamed,
        ["/containerd.services.events.v1.Events/Subscribe"] = s_anybody, // only events of namespaces that the caller may read
    }.ToFrozenDictionary(StringComparer.Ordinal);
}
