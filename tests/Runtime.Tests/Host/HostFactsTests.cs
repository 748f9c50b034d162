using ImageStore.Runtime.Host;
using ImageStore.Runtime.Spec;
using ImageStore.Runtime.Tests.Support;

namespace ImageStore.Runtime.Tests.Host;

public sealed class HostFactsTests : IDisposable
{
    private readonly Folder _proc = new();

    public void Dispose() => _proc.Dispose();

    [Fact]
    public void Read_OfAProcess_IsWhatItsFilesSay()
    {
        _proc.Write("limits", """
            Limit                     Soft Limit           Hard Limit           Units
            Max cpu time              unlimited            unlimited            seconds
            Max open files            1024                 524288               files
            Max nice priority         0                    0
            """);
        _proc.Write("oom_score_adj", "-17\n");
        _proc.Write("uid_map", "         0       1000          1\n         1     100000      65536\n");
        _proc.Write("gid_map", "         0       1000          1\n         1     100000      65536\n");
        _proc.Write("setgroups", "allow\n");
        _proc.Write("cgroup.controllers", "memory pids\n");
        var facts = HostFacts.Read(_proc.Path, _proc.Path);
        Assert.Equal([("RLIMIT_CPU", RlimitSpec.Unlimited), ("RLIMIT_NICE", 0UL), ("RLIMIT_NOFILE", 524288UL)], facts.Limits.OrderBy(one => one.Key).Select(one => (one.Key, one.Value)));
        Assert.True(facts is { OomScoreAdj: -17, InUserNamespace: true, HasTerminalGroup: true, CanSetGroups: true, HasCgroup2: true });
    }

    [Fact]
    public void Read_OfAProcessWithItsOwnIdAlone_HasNoGroupOfTerminals()
    {
        _proc.Write("uid_map", "0 1000 1\n");
        _proc.Write("gid_map", "0 1000 1\n");
        _proc.Write("setgroups", "deny\n");
        Assert.True(HostFacts.Read(_proc.Path, _proc.Path) is { InUserNamespace: true, HasTerminalGroup: false, CanSetGroups: false, HasCgroup2: false });
    }

    [Fact]
    public void Read_OfThisProcess_IsThisProcess()
    {
        var facts = HostFacts.Read();
        Assert.True(facts.Limits.Count > 10);
        Assert.Equal(Environment.IsPrivilegedProcess, facts.Capabilities.Contains("CAP_CHOWN"));
        Assert.Equal(File.ReadAllText("/proc/self/uid_map").Contains("4294967295", StringComparison.Ordinal), !facts.InUserNamespace);
    }
}
