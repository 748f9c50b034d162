using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Unpack;

/// <summary>Holds what a layer's media type says against what its bytes are.</summary>
/// <remarks>
/// The bytes decide, as in docker and containerd: registries have images whose types are wrong, and the diff ID proves what came
/// out. But who made such an image has to hear of it: other programs go by the type.
/// </remarks>
internal static class LayerTypes
{
    /// <summary>A sentence that says how they disagree, or null when they do not.</summary>
    public static string? Disagreement(Descriptor layer, LayerCompression actual)
    {
        var said = Said(layer.MediaType);
        return said is null || said == actual ? null
            : $"the layer {layer.Digest} is {Name(actual)}, though its media type {Printable.Of(layer.MediaType)} says {Name(said.Value)}; "
                + "it is unpacked as what it is";
    }

    // Docker's type without a suffix is used for both, and has been since before there was another.
    private static LayerCompression? Said(string mediaType) =>
        mediaType.EndsWith("gzip", StringComparison.Ordinal) ? LayerCompression.Gzip
        : mediaType.EndsWith("zstd", StringComparison.Ordinal) ? LayerCompression.Zstd
        : mediaType == MediaTypes.DockerLayer ? null
        : LayerCompression.None;

    private static string Name(LayerCompression compression) => compression switch
    {
        LayerCompression.Gzip => "gzip",
        LayerCompression.Zstd => "zstd",
        _ => "a plain tar",
    };
}
