using ImageStore.Runtime.Protocol.CgroupsV2;

namespace ImageStore.Shim.Cgroups;

/// <summary>The files of version 2's memory controller.</summary>
internal static class MemoryV2
{
    public static MemoryStat Measure(string folder)
    {
        var stat = CgroupFile.Pairs(folder, "memory.stat");
        ulong Of(string name) => stat.GetValueOrDefault(name);
        return new MemoryStat
        {
            Anon = Of("anon"),
            File = Of("file"),
            KernelStack = Of("kernel_stack"),
            Slab = Of("slab"),
            Sock = Of("sock"),
            Shmem = Of("shmem"),
            FileMapped = Of("file_mapped"),
            FileDirty = Of("file_dirty"),
            FileWriteback = Of("file_writeback"),
            AnonThp = Of("anon_thp"),
            InactiveAnon = Of("inactive_anon"),
            ActiveAnon = Of("active_anon"),
            InactiveFile = Of("inactive_file"),
            ActiveFile = Of("active_file"),
            Unevictable = Of("unevictable"),
            SlabReclaimable = Of("slab_reclaimable"),
            SlabUnreclaimable = Of("slab_unreclaimable"),
            Pgfault = Of("pgfault"),
            Pgmajfault = Of("pgmajfault"),
            WorkingsetRefault = Of("workingset_refault"),
            WorkingsetActivate = Of("workingset_activate"),
            WorkingsetNodereclaim = Of("workingset_nodereclaim"),
            WorkingsetRefaultAnon = Of("workingset_refault_anon"),
            WorkingsetRefaultFile = Of("workingset_refault_file"),
            WorkingsetActivateAnon = Of("workingset_activate_anon"),
            WorkingsetActivateFile = Of("workingset_activate_file"),
            Pgrefill = Of("pgrefill"),
            Pgscan = Of("pgscan"),
            Pgsteal = Of("pgsteal"),
            Pgactivate = Of("pgactivate"),
            Pgdeactivate = Of("pgdeactivate"),
            Pglazyfree = Of("pglazyfree"),
            Pglazyfreed = Of("pglazyfreed"),
            ThpFaultAlloc = Of("thp_fault_alloc"),
            ThpCollapseAlloc = Of("thp_collapse_alloc"),
            Usage = CgroupFile.Number(folder, "memory.current") ?? 0,
            UsageLimit = CgroupFile.Number(folder, "memory.max") ?? 0,
            SwapUsage = CgroupFile.Number(folder, "memory.swap.current") ?? 0,
            SwapLimit = CgroupFile.Number(folder, "memory.swap.max") ?? 0,
            MaxUsage = CgroupFile.Number(folder, "memory.peak") ?? 0,
            SwapMaxUsage = CgroupFile.Number(folder, "memory.swap.peak") ?? 0,
            Psi = PressureV2.Read(folder, "memory.pressure"),
        };
    }
}
