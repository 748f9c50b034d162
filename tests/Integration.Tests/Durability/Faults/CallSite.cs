using ImageStore.Integration.Tests.Durability.Tracing;

namespace ImageStore.Integration.Tests.Durability.Faults;

/// <summary>A call that a command makes on one path, and how often it does.</summary>
/// <param name="Call">The call's name.</param>
/// <param name="Path">The path below the recorded folder by which strace knows it: its own, or that of its descriptor.</param>
/// <param name="Count">How often.</param>
internal sealed record CallSite(string Call, string Path, int Count)
{
    /// <summary>The calls that change a disk or make it durable, and those that open.</summary>
    private static readonly HashSet<string> s_calls = new(StringComparer.Ordinal)
    {
        "open", "openat", "openat2", "creat", "write", "pwrite64", "writev", "pwritev", "pwritev2", "truncate", "ftruncate", "fallocate",
        "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "symlink", "symlinkat",
        "mknod", "mknodat", "chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "utimensat",
        "setxattr", "lsetxattr", "fsetxattr", "fsync", "fdatasync", "syncfs", "sync_file_range", "mount", "umount2",
    };

    public bool Opens => Call is "open" or "openat" or "openat2" or "creat";

    public bool Syncs => Call is "fsync" or "fdatasync" or "syncfs";

    /// <summary>The calls of a command below <paramref name="scope"/>; a path that is another each time stands for no site.</summary>
    public static IReadOnlyList<CallSite> Of(IEnumerable<TraceEvent> events, string scope) =>
        [.. events.Where(one => one.IsEnd && one.Call.Succeeded && s_calls.Contains(one.Call.Name))
            .Select(one => (one.Call.Name, Path: PathOf(one.Call, scope)))
            .Where(one => one.Path is not null && !IsRandom(one.Path))
            .GroupBy(one => one)
            .Select(group => new CallSite(group.Key.Name, group.Key.Path!, group.Count()))
            .OrderBy(site => site.Call, StringComparer.Ordinal).ThenBy(site => site.Path, StringComparer.Ordinal)];

    private static bool IsRandom(string path) =>
        path.Contains("probe-", StringComparison.Ordinal) || path.EndsWith(".partial", StringComparison.Ordinal);

    private static string? PathOf(TracedCall call, string scope)
    {
        foreach (var argument in call.Arguments.Take(3))
        {
            var path = argument.StartsWith('"') ? StraceArguments.Text(argument) : StraceArguments.DescriptorPath(argument);
            if (path == scope || path?.StartsWith(scope + "/", StringComparison.Ordinal) == true)
            {
                return path[scope.Length..].TrimStart('/');
            }
        }

        return null;
    }
}
