using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Types;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using Mount = ImageStore.Snapshotters.Mounts.Mount;

namespace ImageStore.Daemon.Api;

/// <summary>What several services have in common, as messages and as our own.</summary>
internal static class Wire
{
    public static Timestamp ToWire(this DateTimeOffset time) => Timestamp.FromDateTimeOffset(time);

    /// <exception cref="ImageStoreException">It is out of range (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static DateTimeOffset? FromWire(this Timestamp? time)
    {
        try
        {
            return time?.ToDateTimeOffset();
        }
        catch (InvalidOperationException failure)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, "A time is out of range.", null, failure);
        }
    }

    public static Blob ToWire(this Descriptor descriptor)
    {
        var blob = new Blob { MediaType = descriptor.MediaType, Digest = descriptor.Digest.ToString(), Size = descriptor.Size };
        foreach (var (key, value) in descriptor.Annotations ?? new Dictionary<string, string>())
        {
            blob.Annotations[key] = value;
        }

        return blob;
    }

    /// <exception cref="ImageStoreException">It is malformed (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static Descriptor FromWire(this Blob? blob, string what)
    {
        if (blob is null or { MediaType.Length: 0 } or { Size: <= 0 })
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, $"{what} has no media type or no size.");
        }

        return new Descriptor
        {
            MediaType = blob.MediaType,
            Digest = Digest.Parse(blob.Digest),
            Size = blob.Size,
            Annotations = blob.Annotations.Count > 0 ? new Dictionary<string, string>(blob.Annotations, StringComparer.Ordinal) : null,
        };
    }

    public static void AddTo(this IReadOnlyDictionary<string, string> labels, MapField<string, string> map)
    {
        foreach (var (key, value) in labels)
        {
            map[key] = value;
        }
    }

    public static IEnumerable<Runtime.Protocol.Types.Mount> ToWire(this IEnumerable<Mount> mounts)
    {
        foreach (var mount in mounts)
        {
            var told = new Runtime.Protocol.Types.Mount { Type = mount.Type, Source = mount.Source };
            told.Options.Add(mount.Options);
            yield return told;
        }
    }

    public static IReadOnlyList<Mount> FromWire(this IEnumerable<Runtime.Protocol.Types.Mount> mounts) =>
        [.. mounts.Select(mount => new Mount(mount.Type, mount.Source, [.. mount.Options]))];
}
