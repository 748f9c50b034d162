namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>The leases that commands hold while they work; one that dies leaves its lease to expire.</summary>
internal static class WorkingLease
{
    private static readonly string[] s_prefixes = ["pull-", "import-", "unpack-"];

    public static bool Is(string id) => s_prefixes.Any(prefix => id.StartsWith(prefix, StringComparison.Ordinal));
}
