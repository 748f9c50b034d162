namespace ImageStore.Shim.Cgroups;

/// <summary>What a block device is called.</summary>
internal static class BlockDevice
{
    private const string Key = "DEVNAME=";

    /// <summary>Its path below <c>/dev</c>, or empty where it has gone.</summary>
    /// <param name="number"><c>major:minor</c>.</param>
    public static string NameOf(string number) =>
        CgroupFile.Lines($"/sys/dev/block/{number}", "uevent").FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal)) is { } line
            ? "/dev/" + line[Key.Length..] : string.Empty;
}
