using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Store.Containers;
using ImageStore.Store.Errors;
using V1 = ImageStore.Daemon.Protocol.ContainersV1;

namespace ImageStore.Daemon.Api;

/// <summary>Containers as messages and as records, and what a field mask makes of one.</summary>
internal static class ContainerMessages
{
    private static readonly string[] s_changeable = ["labels", "spec", "extensions", "image", "snapshotkey"];

    public static V1.Container ToWire(ContainerRecord container)
    {
        var told = new V1.Container
        {
            Id = container.Id,
            Image = container.Image,
            Runtime = new V1.Container.Types.Runtime { Name = container.Runtime, Options = ToWire(container.RuntimeOptions) },
            Spec = ToWire(container.Spec),
            Snapshotter = container.Snapshotter,
            SnapshotKey = container.SnapshotKey,
            Sandbox = container.Sandbox,
            CreatedAt = container.CreatedAt.ToWire(),
            UpdatedAt = container.UpdatedAt.ToWire(),
        };
        container.Labels.AddTo(told.Labels);
        foreach (var (name, value) in container.Extensions)
        {
            told.Extensions[name] = ToWire(value);
        }

        return told;
    }

    public static ContainerRecord FromWire(V1.Container container) => new()
    {
        Id = container.Id,
        Labels = new Dictionary<string, string>(container.Labels, StringComparer.Ordinal),
        Image = container.Image,
        Runtime = container.Runtime?.Name ?? string.Empty,
        RuntimeOptions = FromWire(container.Runtime?.Options),
        Spec = FromWire(container.Spec),
        Snapshotter = container.Snapshotter,
        SnapshotKey = container.SnapshotKey,
        Extensions = container.Extensions.ToDictionary(one => one.Key, one => FromWire(one.Value)!, StringComparer.Ordinal),
        Sandbox = container.Sandbox,
    };

    /// <summary>What a container becomes by a request to change it.</summary>
    /// <exception cref="ImageStoreException">A field that never changes would (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static ContainerRecord Changed(ContainerRecord before, V1.Container message, IReadOnlyList<string> paths)
    {
        var wanted = FromWire(message);
        if (paths.Count == 0 && (before.Snapshotter != wanted.Snapshotter || before.Runtime != wanted.Runtime))
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, "The snapshotter and the runtime of a container cannot be changed.");
        }

        var labels = new Dictionary<string, string>(before.Labels, StringComparer.Ordinal);
        var extensions = new Dictionary<string, TypedBytes>(before.Extensions, StringComparer.Ordinal);
        var after = before;
        foreach (var path in paths.Count == 0 ? s_changeable : paths)
        {
            if (FieldPaths.KeyIn("labels", path) is { } label)
            {
                FieldPaths.Copy(wanted.Labels, labels, label);
            }
            else if (FieldPaths.KeyIn("extensions", path) is { } extension)
            {
                FieldPaths.Copy(wanted.Extensions, extensions, extension);
            }
            else
            {
                (labels, extensions) = path switch
                {
                    "labels" => (new Dictionary<string, string>(wanted.Labels, StringComparer.Ordinal), extensions),
                    "extensions" => (labels, new Dictionary<string, TypedBytes>(wanted.Extensions, StringComparer.Ordinal)),
                    _ => (labels, extensions),
                };
                after = path switch
                {
                    "labels" or "extensions" => after,
                    "spec" => after with { Spec = wanted.Spec },
                    "image" => after with { Image = wanted.Image },
                    "snapshotkey" => after with { SnapshotKey = wanted.SnapshotKey },
                    _ => throw FieldPaths.Unknown(path, "a container"),
                };
            }
        }

        return after with { Labels = labels, Extensions = extensions };
    }

    public static Any? ToWire(TypedBytes? value) =>
        value is null ? null : new Any { TypeUrl = value.Type, Value = UnsafeByteOperations.UnsafeWrap(value.Value) };

    private static TypedBytes? FromWire(Any? value) => value is null ? null : new TypedBytes(value.TypeUrl, value.Value.ToByteArray());
}
