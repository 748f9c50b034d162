using ImageStore.Daemon.Transfers;
using Containers = ImageStore.Daemon.Protocol.ContainersV1;
using Content = ImageStore.Daemon.Protocol.ContentV1;
using Diff = ImageStore.Daemon.Protocol.DiffV1;
using Happening = ImageStore.Daemon.Protocol.EventsV1;
using Images = ImageStore.Daemon.Protocol.ImagesV1;
using Leases = ImageStore.Daemon.Protocol.LeasesV1;
using Namespaces = ImageStore.Daemon.Protocol.NamespacesV1;
using Own = ImageStore.Daemon.Protocol.StoreV1;
using Running = ImageStore.Daemon.Protocol.TasksV1;
using Snapshots = ImageStore.Daemon.Protocol.SnapshotsV1;
using Transfer = ImageStore.Daemon.Protocol.TransferV1;

namespace ImageStore.Daemon.Auditing;

/// <summary>What a call was about, by the name that its request or else its answer has for it. Labels and bytes are left out.</summary>
internal static class AuditSubject
{
    /// <summary>The name or names; null where the message has none.</summary>
    public static string? Of(object? message) => OrNull(message switch
    {
        Namespaces.GetNamespaceRequest one => one.Name,
        Namespaces.CreateNamespaceRequest one => one.Namespace?.Name,
        Namespaces.UpdateNamespaceRequest one => one.Namespace?.Name,
        Namespaces.DeleteNamespaceRequest one => one.Name,
        Leases.CreateRequest one => one.Id,
        Leases.CreateResponse one => one.Lease?.Id,
        Leases.DeleteRequest one => one.Id,
        Leases.AddResourceRequest one => $"{one.Id} {one.Resource?.Type} {one.Resource?.Id}",
        Leases.DeleteResourceRequest one => $"{one.Id} {one.Resource?.Type} {one.Resource?.Id}",
        Leases.ListResourcesRequest one => one.Id,
        Content.InfoRequest one => one.Digest,
        Content.UpdateRequest one => one.Info?.Digest,
        Content.DeleteContentRequest one => one.Digest,
        Content.ReadContentRequest one => one.Digest,
        Content.StatusRequest one => one.Ref,
        Content.WriteContentRequest one => $"{one.Ref} {one.Expected}",
        Content.AbortRequest one => one.Ref,
        Images.GetImageRequest one => one.Name,
        Images.CreateImageRequest one => $"{one.Image?.Name} {one.Image?.Target?.Digest}",
        Images.UpdateImageRequest one => $"{one.Image?.Name} {one.Image?.Target?.Digest}",
        Images.DeleteImageRequest one => one.Name,
        Snapshots.PrepareSnapshotRequest one => $"{one.Snapshotter} {one.Key} {one.Parent}",
        Snapshots.ViewSnapshotRequest one => $"{one.Snapshotter} {one.Key} {one.Parent}",
        Snapshots.MountsRequest one => $"{one.Snapshotter} {one.Key}",
        Snapshots.CommitSnapshotRequest one => $"{one.Snapshotter} {one.Key} {one.Name}",
        Snapshots.RemoveSnapshotRequest one => $"{one.Snapshotter} {one.Key}",
        Snapshots.StatSnapshotRequest one => $"{one.Snapshotter} {one.Key}",
        Snapshots.UpdateSnapshotRequest one => $"{one.Snapshotter} {one.Info?.Name}",
        Snapshots.ListSnapshotsRequest one => one.Snapshotter,
        Snapshots.UsageRequest one => $"{one.Snapshotter} {one.Key}",
        Snapshots.CleanupRequest one => one.Snapshotter,
        Diff.ApplyRequest one => one.Diff?.Digest,
        Diff.DiffRequest one => one.Ref,
        Diff.DiffResponse one => one.Diff?.Digest,
        Transfer.TransferRequest one => TransferSubject.Of(one),
        Own.PullMessage one => one.Request?.Reference,
        Own.TagRequest one => $"{one.Source} {one.Target}",
        Own.PinRequest one => one.Reference,
        Own.RemoveRequest one => one.Name,
        Own.CreateNamespaceRequest one => one.Namespace,
        Own.LimitRequest one => one.Namespace,
        Containers.GetContainerRequest one => one.Id,
        Containers.CreateContainerRequest one => one.Container?.Id,
        Containers.UpdateContainerRequest one => one.Container?.Id,
        Containers.DeleteContainerRequest one => one.Id,
        Running.CreateTaskRequest one => one.ContainerId,
        Running.StartRequest one => $"{one.ContainerId} {one.ExecId}",
        Running.DeleteTaskRequest one => one.ContainerId,
        Running.DeleteProcessRequest one => $"{one.ContainerId} {one.ExecId}",
        Running.GetRequest one => $"{one.ContainerId} {one.ExecId}",
        Running.KillRequest one => $"{one.ContainerId} {one.ExecId}",
        Running.ExecProcessRequest one => $"{one.ContainerId} {one.ExecId}",
        Running.ResizePtyRequest one => $"{one.ContainerId} {one.ExecId}",
        Running.CloseIORequest one => $"{one.ContainerId} {one.ExecId}",
        Running.PauseTaskRequest one => one.ContainerId,
        Running.ResumeTaskRequest one => one.ContainerId,
        Running.ListPidsRequest one => one.ContainerId,
        Running.UpdateTaskRequest one => one.ContainerId,
        Running.WaitRequest one => $"{one.ContainerId} {one.ExecId}",
        Happening.PublishRequest one => one.Topic,
        Happening.ForwardRequest one => one.Envelope?.Topic,
        _ => null,
    });

    private static string? OrNull(string? text) => text?.Trim() is { Length: > 0 } known ? known : null;
}
