namespace ImageStore.Snapshotters.Layers;

/// <summary>What one layer may cost; a layer beyond is refused. <c>[layers]</c> in config.toml sets them.</summary>
public sealed record LayerLimits
{
    /// <summary>The usual <see cref="MaxEntries"/>.</summary>
    public const long DefaultEntries = 5_000_000;

    /// <summary>The usual <see cref="MaxUnpackedBytes"/>, 1 TiB.</summary>
    public const long DefaultUnpackedBytes = 1L << 40;

    /// <summary>The usual <see cref="MaxExpansion"/>; text compresses to a tenth, and little that is of use to a hundredth.</summary>
    public const int DefaultExpansion = 200;

    /// <summary>The usual <see cref="ExpansionFloorBytes"/>, 8 GiB.</summary>
    public const long DefaultExpansionFloorBytes = 8L << 30;

    /// <summary>The usual <see cref="MaxPathBytes"/>, and what Linux takes at most.</summary>
    public const int DefaultPathBytes = 4095;

    /// <summary>The usual <see cref="MaxDepth"/>.</summary>
    public const int DefaultDepth = 256;

    /// <summary>The most that <see cref="MaxDepth"/> may be: a walk keeps two directories open for each level.</summary>
    public const int GreatestDepth = 400;

    /// <summary>The usual <see cref="MaxHeaderBytes"/>, 1 MiB.</summary>
    public const int DefaultHeaderBytes = 1 << 20;

    /// <summary>The most that <see cref="MaxHeaderBytes"/> may be, since they are kept in memory.</summary>
    public const int GreatestHeaderBytes = 64 << 20;

    /// <summary>The usual <see cref="MaxGlobalRecords"/>.</summary>
    public const int DefaultGlobalRecords = 256;

    /// <summary>The usual <see cref="MaxXattrBytes"/>, and what Linux takes at most.</summary>
    public const int DefaultXattrBytes = 65536;

    /// <summary>The usual <see cref="MaxEntryXattrBytes"/>, 512 KiB.</summary>
    public const int DefaultEntryXattrBytes = 512 << 10;

    /// <summary>The usual <see cref="MaxSparseSegments"/>.</summary>
    public const int DefaultSparseSegments = 1 << 17;

    /// <summary>Entries in the tar.</summary>
    public long MaxEntries { get; init; } = DefaultEntries;

    /// <summary>Bytes of the uncompressed stream, and of one sparse file with its holes.</summary>
    public long MaxUnpackedBytes { get; init; } = DefaultUnpackedBytes;

    /// <summary>How many times as large as the layer its uncompressed stream may be, once that is above <see cref="ExpansionFloorBytes"/>.</summary>
    public int MaxExpansion { get; init; } = DefaultExpansion;

    /// <summary>Bytes up to which nobody asks from how few they came: a small layer of zeros is no attack.</summary>
    public long ExpansionFloorBytes { get; init; } = DefaultExpansionFloorBytes;

    /// <summary>Bytes of one path.</summary>
    public int MaxPathBytes { get; init; } = DefaultPathBytes;

    /// <summary>Components of one path.</summary>
    public int MaxDepth { get; init; } = DefaultDepth;

    /// <summary>Bytes of PAX and GNU headers before one entry.</summary>
    public int MaxHeaderBytes { get; init; } = DefaultHeaderBytes;

    /// <summary>Records of global PAX headers that hold at one time.</summary>
    public int MaxGlobalRecords { get; init; } = DefaultGlobalRecords;

    /// <summary>Bytes of one extended attribute's value.</summary>
    public int MaxXattrBytes { get; init; } = DefaultXattrBytes;

    /// <summary>Bytes of the names and values of all extended attributes of one entry.</summary>
    public int MaxEntryXattrBytes { get; init; } = DefaultEntryXattrBytes;

    /// <summary>Segments with data in one sparse file.</summary>
    public int MaxSparseSegments { get; init; } = DefaultSparseSegments;

    /// <summary>What the limits are called in the configuration, and so in errors.</summary>
    public static class Keys
    {
        /// <summary>Sets <see cref="MaxEntries"/>.</summary>
        public const string Entries = "max_entries";

        /// <summary>Sets <see cref="MaxUnpackedBytes"/>.</summary>
        public const string UnpackedBytes = "max_unpacked";

        /// <summary>Sets <see cref="MaxExpansion"/>.</summary>
        public const string Expansion = "max_expansion";

        /// <summary>Sets <see cref="ExpansionFloorBytes"/>.</summary>
        public const string ExpansionFloor = "expansion_floor";

        /// <summary>Sets <see cref="MaxPathBytes"/>.</summary>
        public const string PathBytes = "max_path";

        /// <summary>Sets <see cref="MaxDepth"/>.</summary>
        public const string Depth = "max_depth";

        /// <summary>Sets <see cref="MaxHeaderBytes"/>.</summary>
        public const string HeaderBytes = "max_headers";

        /// <summary>Sets <see cref="MaxGlobalRecords"/>.</summary>
        public const string GlobalRecords = "max_global_records";

        /// <summary>Sets <see cref="MaxXattrBytes"/>.</summary>
        public const string XattrBytes = "max_xattr";

        /// <summary>Sets <see cref="MaxEntryXattrBytes"/>.</summary>
        public const string EntryXattrBytes = "max_entry_xattrs";

        /// <summary>Sets <see cref="MaxSparseSegments"/>.</summary>
        public const string SparseSegments = "max_sparse_segments";
    }
}
