namespace ImageStore.Store.Containers;

/// <summary>A container; the key is <c>namespace/id</c>.</summary>
internal sealed record ContainerRow(
    Dictionary<string, string> Labels,
    string Image,
    string Runtime,
    TypedBytes? RuntimeOptions,
    TypedBytes? Spec,
    string Snapshotter,
    string SnapshotKey,
    Dictionary<string, TypedBytes> Extensions,
    string Sandbox,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt)
{
    public static ContainerRow Of(ContainerRecord container) => new(
        Store.Labels.Merge(Store.Labels.None, container.Labels),
        container.Image,
        container.Runtime,
        container.RuntimeOptions,
        container.Spec,
        container.Snapshotter,
        container.SnapshotKey,
        new Dictionary<string, TypedBytes>(container.Extensions, StringComparer.Ordinal),
        container.Sandbox,
        container.CreatedAt,
        container.UpdatedAt);

    public ContainerRecord ToRecord(string id) => new()
    {
        Id = id,
        Labels = Labels,
        Image = Image,
        Runtime = Runtime,
        RuntimeOptions = RuntimeOptions,
        Spec = Spec,
        Snapshotter = Snapshotter,
        SnapshotKey = SnapshotKey,
        Extensions = Extensions,
        Sandbox = Sandbox,
        CreatedAt = CreatedAt,
        UpdatedAt = UpdatedAt,
    };
}
