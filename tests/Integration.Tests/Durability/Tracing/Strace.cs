using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.Tracing;

/// <summary>Runs programs under strace.</summary>
internal static class Strace
{
    /// <summary>The calls that change a disk, sync it, or tell which file a descriptor is; <c>?</c> for those that not every strace knows.</summary>
    private const string Recorded =
        "open,openat,openat2,creat,close,dup,dup2,dup3,fcntl,read,readv,lseek,"
        + "write,pwrite64,writev,pwritev,pwritev2,truncate,ftruncate,fallocate,copy_file_range,sendfile,splice,"
        + "rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,symlink,symlinkat,mknod,mknodat,"
        + "chmod,fchmod,fchmodat,?fchmodat2,chown,fchown,lchown,fchownat,utime,utimes,futimesat,utimensat,"
        + "setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,"
        + "fsync,fdatasync,sync,syncfs,sync_file_range,msync,mount,umount2,mmap,io_uring_setup,"
        + "chdir,fchdir,clone,clone3,fork,vfork,close_range";

    private const int MaxStringBytes = 1 << 26;

    /// <summary>Skips the test where programs cannot be traced.</summary>
    public static async Task NeedAsync()
    {
        Run.Need("strace");
        var tried = await Run.TryAsync("strace", ["-f", "-o", "/dev/null", "-e", "trace=fsync", "true"]);
        if (tried.ExitCode != 0)
        {
            Assert.Skip($"strace does not work here: {tried.Error.Trim()}");
        }
    }

    /// <summary>Runs a program and records all that it does to files.</summary>
    /// <param name="boot">Where it runs, or null for here. What takes it there is not recorded.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="log">A file for the record, which is removed again.</param>
    /// <param name="injection">What strace is to do meanwhile, such as <c>fsync:error=EIO:when=2</c>, or null.</param>
    public static async Task<Traced> RecordAsync(Boot? boot, IReadOnlyList<string> command, string log, string? injection = null)
    {
        // The filter in the kernel saves most of the stops, but with it strace 6.1 loses count of the calls to inject into.
        string[] filter = injection is null ? ["--seccomp-bpf"] : [];
        return await RunAsync(
            boot, [.. filter, "-xx", "-s", $"{MaxStringBytes}", "-e", $"trace={Recorded}"], command, log, injection);
    }

    /// <summary>Runs a program and has a call on one path fail; only such calls are recorded.</summary>
    public static Task<Traced> InjectAsync(
        Boot boot, IReadOnlyList<string> command, string log, string path, string call, string injection) =>
        RunAsync(boot, ["-xx", "-s", "0", "-P", path, "-e", $"trace={call}"], command, log, injection);

    private static async Task<Traced> RunAsync(
        Boot? boot, IEnumerable<string> options, IReadOnlyList<string> command, string log, string? injection)
    {
        List<string> all = ["-f", "-y", "--quiet=all", "-e", "signal=none", "-o", log, .. options];
        if (injection is not null)
        {
            all.AddRange(["-e", $"inject={injection}"]);
        }

        try
        {
            string[] traced = ["strace", .. all, "--", .. command];
            var line = boot?.Command(traced) ?? traced;
            var result = await Run.TryAsync(line[0], line.Skip(1));
            return new Traced(result, StraceLog.Read(File.ReadLines(log)));
        }
        finally
        {
            File.Delete(log);
        }
    }

    /// <summary>What a traced program said and did. A program that was killed ends with 128 and the signal's number.</summary>
    public sealed record Traced(Run.Result Result, List<TraceEvent> Events);
}
