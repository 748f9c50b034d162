using ImageStore.Store.Containers;

namespace ImageStore.Store.Resources;

/// <summary>The containers: each keeps its snapshot, and what its labels refer to.</summary>
internal static class ContainerTable
{
    public static IResourceTable Open() => new RowTable<ContainerRow>(ResourceKind.Container, StoreTables.Containers, Row);

    private static ResourceRow Row(Resource container, ContainerRow row) => new(
        container,
        row.Labels,
        row.SnapshotKey.Length > 0 ? [container.Beside(ResourceKind.Snapshot, $"{row.Snapshotter}/{row.SnapshotKey}")] : []);
}
