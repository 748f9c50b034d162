using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Daemon.Filters;
using ImageStore.Daemon.Protocol.Happened;
using ImageStore.Runtime.Protocol.Happened;
using ImageStore.Runtime.Protocol.Types;

namespace ImageStore.Daemon.Events;

/// <summary>The fields of events by which they are filtered: <c>namespace</c>, <c>topic</c>, and those of the messages that we know.</summary>
internal static class EventFields
{
    public static FieldLookup Of(Envelope envelope) => (IReadOnlyList<string> path, out string value) => path[0] switch
    {
        "namespace" => Fields.Text(envelope.Namespace, out value),
        "topic" => Fields.Text(envelope.Topic, out value),
        "event" when path.Count > 1 && Decode(envelope.Event) is { } message => OfMessage(message, [.. path.Skip(1)], out value),
        _ => Fields.None(out value),
    };

    private static IMessage? Decode(Any? any)
    {
        MessageParser? parser = any?.TypeUrl[(any.TypeUrl.LastIndexOf('/') + 1)..] switch
        {
            "containerd.events.ContainerCreate" => ContainerCreate.Parser,
            "containerd.events.ContainerUpdate" => ContainerUpdate.Parser,
            "containerd.events.ContainerDelete" => ContainerDelete.Parser,
            "containerd.events.ContentCreate" => ContentCreate.Parser,
            "containerd.events.ContentDelete" => ContentDelete.Parser,
            "containerd.events.NamespaceCreate" => NamespaceCreate.Parser,
            "containerd.events.NamespaceUpdate" => NamespaceUpdate.Parser,
            "containerd.events.NamespaceDelete" => NamespaceDelete.Parser,
            "containerd.events.SnapshotPrepare" => SnapshotPrepare.Parser,
            "containerd.events.SnapshotCommit" => SnapshotCommit.Parser,
            "containerd.events.SnapshotRemove" => SnapshotRemove.Parser,
            "containerd.events.TaskCreate" => TaskCreate.Parser,
            "containerd.events.TaskStart" => TaskStart.Parser,
            "containerd.events.TaskExit" => TaskExit.Parser,
            "containerd.events.TaskDelete" => TaskDelete.Parser,
            "containerd.events.TaskOOM" => TaskOOM.Parser,
            "containerd.events.TaskExecAdded" => TaskExecAdded.Parser,
            "containerd.events.TaskExecStarted" => TaskExecStarted.Parser,
            "containerd.events.TaskPaused" => TaskPaused.Parser,
            "containerd.events.TaskResumed" => TaskResumed.Parser,
            "containerd.services.images.v1.ImageCreate" => ImageCreate.Parser,
            "containerd.services.images.v1.ImageUpdate" => ImageUpdate.Parser,
            "containerd.services.images.v1.ImageDelete" => ImageDelete.Parser,
            _ => null,
        };
        try
        {
            return parser?.ParseFrom(any!.Value);
        }
        catch (InvalidProtocolBufferException)
        {
            // Anybody may publish under any name: what is no such message has no such fields.
            return null;
        }
    }

    private static bool OfMessage(IMessage message, IReadOnlyList<string> path, out string value) => (message, path[0]) switch
    {
        (ContainerCreate one, "id") => Fields.Text(one.Id, out value),
        (ContainerCreate one, "image") => Fields.Text(one.Image, out value),
        (ContainerCreate { Runtime: { } runtime }, "runtime") when path is [_, "name"] => Fields.Text(runtime.Name, out value),
        (ContainerUpdate one, "id") => Fields.Text(one.Id, out value),
        (ContainerUpdate one, "image") => Fields.Text(one.Image, out value),
        (ContainerUpdate one, "labels") => Fields.Label(path, one.Labels, out value),
        (ContainerUpdate one, "snapshot_key") => Fields.Text(one.SnapshotKey, out value),
        (ContainerDelete one, "id") => Fields.Text(one.Id, out value),
        (ContentCreate one, "digest") => Fields.Text(one.Digest, out value),
        (ContentDelete one, "digest") => Fields.Text(one.Digest, out value),
        (NamespaceCreate one, "name") => Fields.Text(one.Name, out value),
        (NamespaceCreate one, "labels") => Fields.Label(path, one.Labels, out value),
        (NamespaceUpdate one, "name") => Fields.Text(one.Name, out value),
        (NamespaceUpdate one, "labels") => Fields.Label(path, one.Labels, out value),
        (NamespaceDelete one, "name") => Fields.Text(one.Name, out value),
        (SnapshotPrepare one, "key") => Fields.Text(one.Key, out value),
        (SnapshotPrepare one, "parent") => Fields.Text(one.Parent, out value),
        (SnapshotPrepare one, "snapshotter") => Fields.Text(one.Snapshotter, out value),
        (SnapshotCommit one, "key") => Fields.Text(one.Key, out value),
        (SnapshotCommit one, "name") => Fields.Text(one.Name, out value),
        (SnapshotCommit one, "snapshotter") => Fields.Text(one.Snapshotter, out value),
        (SnapshotRemove one, "key") => Fields.Text(one.Key, out value),
        (SnapshotRemove one, "snapshotter") => Fields.Text(one.Snapshotter, out value),
        (TaskCreate one, "container_id") => Fields.Text(one.ContainerId, out value),
        (TaskCreate one, "bundle") => Fields.Text(one.Bundle, out value),
        (TaskStart one, "container_id") => Fields.Text(one.ContainerId, out value),
        (TaskExit one, "container_id") => Fields.Text(one.ContainerId, out value),
        (TaskExit one, "id") => Fields.Text(one.Id, out value),
        (TaskDelete one, "container_id") => Fields.Text(one.ContainerId, out value),
        (TaskDelete one, "id") => Fields.Text(one.Id, out value),
        (TaskOOM one, "container_id") => Fields.Text(one.ContainerId, out value),
        (TaskExecAdded one, "container_id") => Fields.Text(one.ContainerId, out value),
        (TaskExecAdded one, "exec_id") => Fields.Text(one.ExecId, out value),
        (TaskExecStarted one, "container_id") => Fields.Text(one.ContainerId, out value),
        (TaskExecStarted one, "exec_id") => Fields.Text(one.ExecId, out value),
        (TaskPaused one, "container_id") => Fields.Text(one.ContainerId, out value),
        (TaskResumed one, "container_id") => Fields.Text(one.ContainerId, out value),
        (ImageCreate one, "name") => Fields.Text(one.Name, out value),
        (ImageCreate one, "labels") => Fields.Label(path, one.Labels, out value),
        (ImageUpdate one, "name") => Fields.Text(one.Name, out value),
        (ImageUpdate one, "labels") => Fields.Label(path, one.Labels, out value),
        (ImageDelete one, "name") => Fields.Text(one.Name, out value),
        _ => Fields.None(out value),
    };
}
