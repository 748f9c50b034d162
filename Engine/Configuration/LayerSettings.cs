using ImageStore.Snapshotters.Layers;
using ImageStore.Store;
using ImageStore.Store.Configuration;

namespace ImageStore.Engine.Configuration;

/// <summary>Reads <c>[layers]</c>.</summary>
internal static class LayerSettings
{
    public static IReadOnlyList<string> Keys { get; } =
    [
        LayerLimits.Keys.Entries, LayerLimits.Keys.UnpackedBytes, LayerLimits.Keys.Expansion, LayerLimits.Keys.ExpansionFloor,
        LayerLimits.Keys.PathBytes, LayerLimits.Keys.Depth, LayerLimits.Keys.HeaderBytes, LayerLimits.Keys.GlobalRecords,
        LayerLimits.Keys.XattrBytes, LayerLimits.Keys.EntryXattrBytes, LayerLimits.Keys.SparseSegments,
    ];

    public static LayerLimits Of(TomlTable layers)
    {
        var usual = new LayerLimits();
        return new LayerLimits
        {
            MaxEntries = Count(layers, LayerLimits.Keys.Entries, usual.MaxEntries, long.MaxValue),
            MaxUnpackedBytes = Bytes(layers, LayerLimits.Keys.UnpackedBytes, usual.MaxUnpackedBytes, long.MaxValue),
            MaxExpansion = (int)Count(layers, LayerLimits.Keys.Expansion, usual.MaxExpansion, int.MaxValue),
            ExpansionFloorBytes = Bytes(layers, LayerLimits.Keys.ExpansionFloor, usual.ExpansionFloorBytes, long.MaxValue),
            MaxPathBytes = (int)Count(layers, LayerLimits.Keys.PathBytes, usual.MaxPathBytes, LayerLimits.DefaultPathBytes),
            MaxDepth = (int)Count(layers, LayerLimits.Keys.Depth, usual.MaxDepth, LayerLimits.GreatestDepth),
            MaxHeaderBytes = (int)Bytes(layers, LayerLimits.Keys.HeaderBytes, usual.MaxHeaderBytes, LayerLimits.GreatestHeaderBytes),
            MaxGlobalRecords = (int)Count(layers, LayerLimits.Keys.GlobalRecords, usual.MaxGlobalRecords, int.MaxValue),
            MaxXattrBytes = (int)Bytes(layers, LayerLimits.Keys.XattrBytes, usual.MaxXattrBytes, LayerLimits.DefaultXattrBytes),
            MaxEntryXattrBytes = (int)Bytes(layers, LayerLimits.Keys.EntryXattrBytes, usual.MaxEntryXattrBytes, LayerLimits.GreatestHeaderBytes),
            MaxSparseSegments = (int)Count(layers, LayerLimits.Keys.SparseSegments, usual.MaxSparseSegments, int.MaxValue),
        };
    }

    private static long Count(TomlTable layers, string key, long usual, long most) =>
        layers.Find(key) is not { } item ? usual
        : item.Number >= 1 && item.Number <= most ? item.Number
        : throw item.Complaint(FormattableString.Invariant($"{key} is at least 1 and at most {most}"));

    private static long Bytes(TomlTable layers, string key, long usual, long most) =>
        layers.Find(key) is not { } item ? usual
        : ByteText.Parse(item.Text) is not { } bytes ? throw item.Complaint($"{key} is a number of bytes, such as \"64k\", \"20M\" or \"1T\"")
        : bytes <= most ? bytes
        : throw item.Complaint($"{key} is at most {ByteText.Of(most)}");
}
