using ImageStore.Runtime.Options;
using ImageStore.Runtime.Security;
using ImageStore.Runtime.Spec;
using ImageStore.Runtime.Tests.Support;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tests.Options;

/// <summary>Options whose text is short: right and wrong ones.</summary>
public sealed class OptionTextTests : IDisposable
{
    private readonly Folder _work = new();

    public void Dispose() => _work.Dispose();

    [Theory]
    [InlineData("A=b", "A", "b")]
    [InlineData("A=", "A", "")]
    [InlineData("A=b=c d", "A", "b=c d")]
    [InlineData("MINE", "MINE", "own")]
    [InlineData("NONE", "NONE", null)]
    public void Environment_OfAVariable_IsThat(string text, string name, string? value) =>
        Assert.Equal(new EnvironmentChange(name, value), EnvironmentText.Parse(text, asked => asked == "MINE" ? "own" : null));

    [Theory]
    [InlineData("=b")]
    [InlineData("A B=c")]
    [InlineData("A\nB=c")]
    public void Environment_WithoutAName_IsRefused(string text) =>
        Say.Fault(ErrorKind.InvalidArgument, () => EnvironmentText.Parse(text, _ => null), "--env");

    [Fact]
    public void EnvironmentFile_OfLines_IsThose()
    {
        var file = _work.Write("env", "# one\n\nA=b # not a comment\r\n  B=c\nC=\n");
        Assert.Equal([new("A", "b # not a comment"), new("B", "c"), new("C", "")], EnvironmentText.ReadFile(file));
    }

    [Theory]
    [InlineData("A=b\nHOME\n", "Line 2")]
    [InlineData("=b", "Line 1")]
    [InlineData("A B=c", "Line 1")]
    public void EnvironmentFile_OfOtherLines_NamesTheLineAndTakesNothingFromUs(string text, string line) =>
        Say.Fault(ErrorKind.InvalidArgument, () => EnvironmentText.ReadFile(_work.Write("env", text)), line, "env");

    [Theory]
    [InlineData("nofile=10", "RLIMIT_NOFILE", 10UL, 10UL)]
    [InlineData("nofile=10:20", "RLIMIT_NOFILE", 10UL, 20UL)]
    [InlineData("RLIMIT_CORE=0:unlimited", "RLIMIT_CORE", 0UL, ulong.MaxValue)]
    [InlineData("memlock=-1", "RLIMIT_MEMLOCK", ulong.MaxValue, ulong.MaxValue)]
    public void Ulimit_OfALimit_IsThat(string text, string type, ulong soft, ulong hard) =>
        Assert.Equal(new RlimitSpec(type, hard, soft), UlimitText.Parse(text));

    [Theory]
    [InlineData("nofile")]
    [InlineData("nofile=")]
    [InlineData("nofile=x")]
    [InlineData("nofile=20:10")]
    [InlineData("nofile=-1:10")]
    [InlineData("nofile=1:2:3")]
    [InlineData("files=1")]
    [InlineData("nofile=18446744073709551616")]
    public void Ulimit_OfWhatIsNone_IsRefused(string text) => Say.Fault(ErrorKind.InvalidArgument, () => UlimitText.Parse(text), "--ulimit");

    [Theory]
    [InlineData("/dev/fuse", "/dev/fuse", "/dev/fuse", "rwm")]
    [InlineData("/dev/fuse:r", "/dev/fuse", "/dev/fuse", "r")]
    [InlineData("/dev/fuse:/dev/x", "/dev/fuse", "/dev/x", "rwm")]
    [InlineData("/dev/fuse:/dev/x:rw", "/dev/fuse", "/dev/x", "rw")]
    public void Device_OfAPath_IsThat(string text, string source, string destination, string access) =>
        Assert.Equal(new DeviceText(source, destination, access), DeviceText.Parse(text));

    [Theory]
    [InlineData("fuse")]
    [InlineData("/dev/fuse:x:y:z")]
    [InlineData("/dev/fuse:/dev/x:rrr")]
    [InlineData("/dev/fuse:/dev/x:q")]
    [InlineData("/dev/fuse:/dev/../../x")]
    [InlineData("/dev/fuse:relative")]
    public void Device_OfWhatIsNone_IsRefused(string text) => Say.Fault(ErrorKind.InvalidArgument, () => DeviceText.Parse(text), "--device");

    [Fact]
    public void Resources_OfAmounts_AreThose()
    {
        Assert.Equal(268435456, ResourceText.Memory("256m"));
        Assert.Equal(1.5m, ResourceText.Cpus("1.5"));
        Assert.Equal([100, -1, -1], ((string[])["100", "-1", "0"]).Select(ResourceText.Pids));
        Assert.Equal(-500, ResourceText.OomScore("-500"));
    }

    [Fact]
    public void Resources_OfWhatIsNone_AreRefused()
    {
        foreach (var text in (string[])["x", "", "-5M", "0", "1e99"])
        {
            Say.Fault(ErrorKind.InvalidArgument, () => ResourceText.Memory(text), "--memory");
        }

        foreach (var text in (string[])["x", "0", "0.001", "-1", "1e9", "99999999999999999999999999999999"])
        {
            Say.Fault(ErrorKind.InvalidArgument, () => ResourceText.Cpus(text), "--cpus");
        }

        foreach (var text in (string[])["x", "-2", "1.5", "9999999999999999999"])
        {
            Say.Fault(ErrorKind.InvalidArgument, () => ResourceText.Pids(text), "--pids-limit");
        }

        foreach (var text in (string[])["x", "1001", "-1001"])
        {
            Say.Fault(ErrorKind.InvalidArgument, () => ResourceText.OomScore(text), "--oom-score-adj");
        }
    }

    [Fact]
    public void Capability_OfAnySpelling_IsTheKernels()
    {
        Assert.All((string[])["net_admin", "NET_ADMIN", "cap_net_admin", "CAP_NET_ADMIN"], text => Assert.Equal("CAP_NET_ADMIN", Capabilities.Parse(text)));
        Assert.Equal(Capabilities.All, Capabilities.Parse("all"));
        Say.Fault(ErrorKind.InvalidArgument, () => Capabilities.Parse("CAP_EVERYTHING"), "CAP_EVERYTHING");
    }

    [Fact]
    public void Security_OfWords_IsWhatTheLastSays()
    {
        Assert.True(SecurityText.Parse([]) is { IsUnconfined: false, Seccomp: null, NoNewPrivileges: true });
        Assert.True(SecurityText.Parse(["seccomp=unconfined", "no-new-privileges=false"]) is { IsUnconfined: true, NoNewPrivileges: false });
        Assert.True(SecurityText.Parse(["no-new-privileges=false", "no-new-privileges"]).NoNewPrivileges);
        var file = _work.Write("profile.json", """{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chmod"],"action":"SCMP_ACT_ERRNO","errnoRet":13}]}""");
        Assert.Equal(13U, SecurityText.Parse([$"seccomp={file}"]).Seccomp!.Syscalls![0].ErrnoRet);
    }

    [Theory]
    [InlineData("seccomp", ErrorKind.InvalidArgument)]
    [InlineData("colour=red", ErrorKind.InvalidArgument)]
    [InlineData("no-new-privileges=maybe", ErrorKind.InvalidArgument)]
    [InlineData("apparmor=unconfined", ErrorKind.Unsupported)]
    [InlineData("label=disable", ErrorKind.Unsupported)]
    public void Security_OfOtherWords_IsRefused(string word, ErrorKind kind) => Say.Fault(kind, () => SecurityText.Parse([word]), word);

    [Theory]
    [InlineData("""{"defaultAction":"SCMP_ACT_ERRNO","archMap":[]}""", "archMap")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["x"],"action":"SCMP_ACT_ALLOW","includes":{}}]}""", "includes")]
    [InlineData("""{"syscalls":[]}""", "defaultAction")]
    [InlineData("null", "null")]
    [InlineData("{", "profile")]
    public void Seccomp_OfAFileInAnotherForm_NamesWhatIsNotUnderstood(string text, string word) =>
        Say.Fault(ErrorKind.InvalidArgument, () => SecurityText.Parse([$"seccomp={_work.Write("profile.json", text)}"]), word);
}
