using System.Globalization;
using System.Text.Json.Nodes;
using ImageStore.Cli.Tests.Support;

namespace ImageStore.Cli.Tests;

/// <summary><c>bundle</c>: its options, its errors, and what it prints.</summary>
public sealed class BundleTests : IAsyncDisposable
{
    private readonly Workbench _bench = new();

    public BundleTests() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");

    private string Box => _bench.In("box");

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Bundle_WithEveryOption_IsWhatTheySay()
    {
        var image = await _bench.StoredAsync();
        var file = _bench.In("env");
        await File.WriteAllTextAsync(file, "FROM=file\nBOTH=file\n");
        await _bench.OkAsync(
            "--quiet", "bundle", "--env-file", file, "-e", "BOTH=word", "-e", "EMPTY=", "-e", "NOT_SET_ANYWHERE", "-u", "5:6", "-w", "/work", "--entrypoint", "prog",
            "--mount", $"type=bind,src={_bench.Root},dst=/m,ro", "-v", $"{_bench.Root}:/v", "--device", "/dev/zero:/dev/nought", "--read-only", "-m", "64M",
            "--cpus", "0.5", "--pids-limit", "7", "--ulimit", "core=0", "--oom-score-adj", "500", "--cap-drop", "ALL", "--cap-add", "CHOWN",
            "--security-opt", "seccomp=unconfined", "--security-opt", "no-new-privileges=false", "--hostname", "box", "--label", "a=b", "-l", "c=d", "-t",
            "--net", "host", "--cgroup", "/g", image.Reference, Box, "--", "sh", "-c", "");
        var spec = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Box, "config.json")))!;
        var process = spec["process"]!;
        Assert.Equal("""["prog","sh","-c",""]""", process["args"]!.ToJsonString());
        Assert.Equal("""["FROM=file","BOTH=word","EMPTY="]""", new JsonArray([.. process["env"]!.AsArray().Skip(2).Select(one => one!.DeepClone())]).ToJsonString());
        Assert.Equal("TERM=xterm", process["env"]![1]!.ToString());
        Assert.Equal("""{"uid":5,"gid":6,"additionalGids":[6]}""", process["user"]!.ToJsonString());
        Assert.Equal("/work true false 500", $"{process["cwd"]} {process["terminal"]} {process["noNewPrivileges"]} {process["oomScoreAdj"]}");
        Assert.Equal("""["CAP_CHOWN"]""", process["capabilities"]!["bounding"]!.ToJsonString());
        Assert.Contains("""{"type":"RLIMIT_CORE","hard":0,"soft":0}""", process["rlimits"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("""{"path":"rootfs","readonly":true}""", spec["root"]!.ToJsonString());
        Assert.Equal("box b d", $"{spec["hostname"]} {spec["annotations"]!["a"]} {spec["annotations"]!["c"]}");
        var places = spec["mounts"]!.AsArray().Select(mount => mount!["destination"]!.ToString()).ToList();
        Assert.Empty(((string[])["/m", "/v", "/etc/hosts"]).Except(places));
        var linux = spec["linux"]!;
        Assert.Null(linux["seccomp"]);
        Assert.Equal("/g", linux["cgroupsPath"]!.ToString());
        Assert.DoesNotContain("network", linux["namespaces"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("/dev/nought", linux["devices"]![0]!["path"]!.ToString());
        Assert.Equal(
            """{"memory":{"limit":67108864},"cpu":{"quota":50000,"period":100000},"pids":{"limit":7}}""",
            new JsonObject(linux["resources"]!.AsObject().Where(pair => pair.Key != "devices").Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone()))).ToJsonString());
    }

    [Fact]
    public async Task Bundle_AsJson_IsOneDocumentAndTellsWhatIsCut()
    {
        var image = await _bench.StoredAsync();
        var result = await _bench.RunAsync("--quiet", "--format", "json", "bundle", "--ulimit", "nproc=unlimited", image.Reference, Box, "/app");
        Assert.True(result.ExitCode == 0, result.Error);
        var made = JsonNode.Parse(result.Output)!;
        Assert.Equal($"{Box} {image.Reference} {image.Manifest.Digest} /app", $"{made["directory"]} {made["image"]} {made["manifest"]} {made["arguments"]![0]}");
        var told = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(made["notes"]!.AsArray().Select(note => $"imagestore: {note}"), told);
    }

    [Fact]
    public async Task Bundle_WithTheCallersVariable_TakesItByItsNameAlone()
    {
        var image = await _bench.StoredAsync();
        var variables = _bench.Variables();
        variables["MINE"] = "own value";
        var result = await Shell.RunAsync(Workbench.Binary, ["--root", _bench.Root, "bundle", "-e", "MINE", image.Reference, Box, "/app"], variables);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("\"MINE=own value\"", await File.ReadAllTextAsync(Path.Combine(Box, "config.json")), StringComparison.Ordinal);
        Assert.DoesNotContain("xterm", await File.ReadAllTextAsync(Path.Combine(Box, "config.json")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "does not say what it runs")]
    [InlineData(2, "--env", "--env", "=x")]
    [InlineData(3, "/no/file", "--env-file", "/no/file")]
    [InlineData(3, "'nosuch'", "--user", "nosuch", "--entrypoint", "a")]
    [InlineData(2, "4294967296", "--user", "4294967296")]
    [InlineData(2, "--workdir", "--workdir", "relative", "--entrypoint", "a")]
    [InlineData(2, "--mount", "--mount", "dst=/x")]
    [InlineData(2, "--volume", "-v", "/x")]
    [InlineData(13, "--volume", "-v", "name:/x")]
    [InlineData(3, "/no/source", "-v", "/no/source:/x", "--entrypoint", "a")]
    [InlineData(2, "--memory", "--memory", "lots")]
    [InlineData(2, "--cpus", "--cpus", "none")]
    [InlineData(2, "--pids-limit", "--pids-limit", "-5")]
    [InlineData(2, "CAP_ODD", "--cap-add", "CAP_ODD")]
    [InlineData(2, "'ODD'", "--cap-drop", "ODD")]
    [InlineData(2, "seccomp=", "--security-opt", "seccomp=")]
    [InlineData(3, "/no/profile", "--security-opt", "seccomp=/no/profile")]
    [InlineData(3, "/dev/no-such", "--device", "/dev/no-such", "--entrypoint", "a")]
    [InlineData(2, "'-x'", "--hostname=-x", "--entrypoint", "a")]
    [InlineData(2, "'a'", "--label", "a")]
    [InlineData(2, "bridge", "--net", "bridge")]
    [InlineData(2, "--ulimit", "--ulimit", "nofile")]
    [InlineData(2, "--oom-score-adj", "--oom-score-adj", "5000")]
    [InlineData(2, "--snapshotter", "--snapshotter", "native")]
    [InlineData(2, "'a/b/c/d'", "--platform", "a/b/c/d")]
    [InlineData(2, "group", "--cgroup", "relative", "--entrypoint", "a")]
    public async Task Bundle_WithAValueThatCannotBe_IsOneClearErrorAndLeavesNothing(int code, string word, params string[] options)
    {
        var image = await _bench.StoredAsync();
        var result = await _bench.RunAsync(["--quiet", "bundle", .. options, image.Reference, Box]);
        Assert.True(result.ExitCode == code, $"{result.ExitCode} instead of {code}: {result.Error}");
        Assert.Contains(word, result.Error, StringComparison.Ordinal);
        Assert.Equal(2, result.Error.TrimEnd('\n').Split('\n').Length);
        Assert.Empty(result.Output);
        Assert.False(Directory.Exists(Box));
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task Bundle_Signalled_LeavesNothing(string signal, int code)
    {
        var image = await _bench.StoredAsync(layerBytes: 200 << 20);
        using var process = Shell.Start(Workbench.Binary, ["--root", _bench.Root, "--quiet", "bundle", image.Reference, Box, "/app"]);
        var file = Path.Combine(Box, ".layer", TestImage.FileName);
        while (!process.HasExited && !File.Exists(file))
        {
            await Task.Delay(1);
        }

        await Shell.RunAsync("kill", ["-" + signal, process.Id.ToString(CultureInfo.InvariantCulture)]);
        var result = await Shell.EndAsync(process);
        Assert.True(result.ExitCode == code, $"{result.ExitCode} instead of {code}: {result.Error}");
        Assert.False(Directory.Exists(Box));
        await _bench.OkAsync("--quiet", "bundle", image.Reference, Box, "/app");
    }
}
