using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Auth;
using ImageStore.Distribution.Hosts;
using ImageStore.Distribution.Transfer.Mirroring;
using ImageStore.Engine;
using ImageStore.Engine.Bundles;
using ImageStore.Engine.Commit;
using ImageStore.Engine.Fsck;
using ImageStore.Engine.Maintenance;
using ImageStore.Engine.Prepull;
using ImageStore.Engine.Pull;
using ImageStore.Engine.Rebase;
using ImageStore.Engine.Usage;
using ImageStore.Gc;
using ImageStore.Gc.Pressure;
using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Content;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Output;

/// <summary>Results as JSON: one document a command, members in camel case, an array for what is a list.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<ImageListing>))]
[JsonSerializable(typeof(IReadOnlyList<ContentInfo>))]
[JsonSerializable(typeof(IReadOnlyList<SnapshotInfo>))]
[JsonSerializable(typeof(IReadOnlyList<SnapshotNode>))]
[JsonSerializable(typeof(IReadOnlyList<Mount>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(IReadOnlyList<Descriptor>))]
[JsonSerializable(typeof(Descriptor))]
[JsonSerializable(typeof(CopyReport))]
[JsonSerializable(typeof(IReadOnlyList<HostExplanation>))]
[JsonSerializable(typeof(IReadOnlyList<NamedImage>))]
[JsonSerializable(typeof(LoginResult))]
[JsonSerializable(typeof(MirrorReport))]
[JsonSerializable(typeof(ImageDetails))]
[JsonSerializable(typeof(ImageRecord))]
[JsonSerializable(typeof(PullResult))]
[JsonSerializable(typeof(IReadOnlyList<PathChange>))]
[JsonSerializable(typeof(LayerDiff))]
[JsonSerializable(typeof(CommitResult))]
[JsonSerializable(typeof(RebaseResult))]
[JsonSerializable(typeof(UnpackOutcome))]
[JsonSerializable(typeof(MountOutcome))]
[JsonSerializable(typeof(BundleResult))]
[JsonSerializable(typeof(StoreInfo))]
[JsonSerializable(typeof(CollectionReport))]
[JsonSerializable(typeof(Explanation))]
[JsonSerializable(typeof(Lease))]
[JsonSerializable(typeof(IReadOnlyList<LeaseListing>))]
[JsonSerializable(typeof(IReadOnlyList<NamespaceRecord>))]
[JsonSerializable(typeof(NamespaceRecord))]
[JsonSerializable(typeof(FsckReport))]
[JsonSerializable(typeof(MaintenanceReport))]
[JsonSerializable(typeof(EvictionReport))]
[JsonSerializable(typeof(JobRecord))]
[JsonSerializable(typeof(IReadOnlyList<JobListing>))]
[JsonSerializable(typeof(DiskUsage))]
[JsonSerializable(typeof(IReadOnlyList<ImageUsage>))]
[JsonSerializable(typeof(IReadOnlyList<SnapshotUsageLine>))]
internal sealed partial class Json : JsonSerializerContext
{
    // It goes to a terminal or a program, never into HTML: a media type's '+' stays readable.
    private static readonly JsonWriterOptions s_writing = new()
    {
        Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void Write<T>(T value, JsonTypeInfo<T> type) => Console.Out.WriteLine(Encoding.UTF8.GetString(Bytes(value, type)));

    /// <summary>The same bytes, for a file.</summary>
    public static ReadOnlySpan<byte> Bytes<T>(T value, JsonTypeInfo<T> type)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, s_writing))
        {
            JsonSerializer.Serialize(writer, value, type);
        }

        return buffer.WrittenSpan;
    }
}
