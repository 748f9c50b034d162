using ImageStore.Runtime.Protocol.CgroupsV1;

namespace ImageStore.Shim.Cgroups;

/// <summary>The files of version 1's memory controller.</summary>
internal static class MemoryV1
{
    public static MemoryStat Measure(string folder)
    {
        var stat = CgroupFile.Pairs(folder, "memory.stat");
        ulong Of(string name) => stat.GetValueOrDefault(name);
        return new MemoryStat
        {
            Cache = Of("cache"),
            Rss = Of("rss"),
            RssHuge = Of("rss_huge"),
            MappedFile = Of("mapped_file"),
            Dirty = Of("dirty"),
            Writeback = Of("writeback"),
            PgPgIn = Of("pgpgin"),
            PgPgOut = Of("pgpgout"),
            PgFault = Of("pgfault"),
            PgMajFault = Of("pgmajfault"),
            InactiveAnon = Of("inactive_anon"),
            ActiveAnon = Of("active_anon"),
            InactiveFile = Of("inactive_file"),
            ActiveFile = Of("active_file"),
            Unevictable = Of("unevictable"),
            HierarchicalMemoryLimit = Of("hierarchical_memory_limit"),
            HierarchicalSwapLimit = Of("hierarchical_memsw_limit"),
            TotalCache = Of("total_cache"),
            TotalRss = Of("total_rss"),
            TotalRssHuge = Of("total_rss_huge"),
            TotalMappedFile = Of("total_mapped_file"),
            TotalDirty = Of("total_dirty"),
            TotalWriteback = Of("total_writeback"),
            TotalPgPgIn = Of("total_pgpgin"),
            TotalPgPgOut = Of("total_pgpgout"),
            TotalPgFault = Of("total_pgfault"),
            TotalPgMajFault = Of("total_pgmajfault"),
            TotalInactiveAnon = Of("total_inactive_anon"),
            TotalActiveAnon = Of("total_active_anon"),
            TotalInactiveFile = Of("total_inactive_file"),
            TotalActiveFile = Of("total_active_file"),
            TotalUnevictable = Of("total_unevictable"),
            Usage = Entry(folder, "memory"),
            Swap = Entry(folder, "memory.memsw"),
            Kernel = Entry(folder, "memory.kmem"),
            KernelTcp = Entry(folder, "memory.kmem.tcp"),
        };
    }

    // A kernel that does not count swap or its own memory has no such files.
    private static MemoryEntry? Entry(string folder, string prefix) =>
        CgroupFile.Number(folder, prefix + ".usage_in_bytes") is { } usage
            ? new MemoryEntry
            {
                Usage = usage,
                Limit = CgroupFile.Number(folder, prefix + ".limit_in_bytes") ?? 0,
                Max = CgroupFile.Number(folder, prefix + ".max_usage_in_bytes") ?? 0,
                Failcnt = CgroupFile.Number(folder, prefix + ".failcnt") ?? 0,
            }
            : null;
}
