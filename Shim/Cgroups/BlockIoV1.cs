using ImageStore.Runtime.Protocol.CgroupsV1;

namespace ImageStore.Shim.Cgroups;

/// <summary>The files of version 1's blkio controller: lines of <c>major:minor operation number</c>.</summary>
internal static class BlockIoV1
{
    public static BlkIOStat Measure(string folder)
    {
        // Which files count depends on the disks' scheduler; those of throttling always do.
        var isScheduled = CgroupFile.Lines(folder, "blkio.io_serviced_recursive").Length > 1;
        return isScheduled
            ? new BlkIOStat
            {
                IoServiceBytesRecursive = { Entries(folder, "blkio.io_service_bytes_recursive") },
                IoServicedRecursive = { Entries(folder, "blkio.io_serviced_recursive") },
                IoQueuedRecursive = { Entries(folder, "blkio.io_queued_recursive") },
                IoServiceTimeRecursive = { Entries(folder, "blkio.io_service_time_recursive") },
                IoWaitTimeRecursive = { Entries(folder, "blkio.io_wait_time_recursive") },
                IoMergedRecursive = { Entries(folder, "blkio.io_merged_recursive") },
                IoTimeRecursive = { Entries(folder, "blkio.time_recursive") },
                SectorsRecursive = { Entries(folder, "blkio.sectors_recursive") },
            }
            : new BlkIOStat
            {
                IoServiceBytesRecursive = { Entries(folder, "blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes") },
                IoServicedRecursive = { Entries(folder, "blkio.throttle.io_serviced_recursive", "blkio.throttle.io_serviced") },
            };
    }

    private static IEnumerable<BlkIOEntry> Entries(string folder, string name, string? otherwise = null)
    {
        var lines = CgroupFile.Lines(folder, name);
        if (lines.Length == 0 && otherwise is not null)
        {
            lines = CgroupFile.Lines(folder, otherwise);
        }

        foreach (var line in lines)
        {
            // The total over all devices has no device.
            if (line.Split(' ') is [var device, .. var rest] && rest.Length is 1 or 2 && device.Split(':') is [var major, var minor])
            {
                yield return new BlkIOEntry
                {
                    Device = BlockDevice.NameOf(device),
                    Major = CgroupFile.Parse(major),
                    Minor = CgroupFile.Parse(minor),
                    Op = rest.Length == 2 ? rest[0] : string.Empty,
                    Value = CgroupFile.Parse(rest[^1]),
                };
            }
        }
    }
}
