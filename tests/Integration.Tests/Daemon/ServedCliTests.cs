using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Daemon;

/// <summary>Our own command beside the daemon that has its root: what it changes, the daemon changes for it, and all looks as without one.</summary>
[Collection(RegistryGroup.Name)]
public sealed class ServedCliTests(RegistryFixture registry) : IAsyncLifetime
{
    // What differs from one root to the next.
    private static readonly string[] s_ownTimes = ["createdAt", "updatedAt", "usedAt"];

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-served-");
    private Imagestored? _daemon;
    private ImageStoreCli _served = null!;
    private ImageStoreCli _alone = null!;
    private string _reference = string.Empty;

    public async ValueTask InitializeAsync()
    {
        registry.Need();
        Run.NeedRoot();
        Run.Need("ctr");
        _reference = await registry.PushAsync(Layouts.Random(In("layout"), 3, 5, 3_000, 7), "served");
        _daemon = await Imagestored.StartAsync(In("ours"));
        (_served, _alone) = (new ImageStoreCli(In("ours/root")), new ImageStoreCli(In("alone")));
    }

    public async ValueTask DisposeAsync()
    {
        await (_daemon?.DisposeAsync() ?? ValueTask.CompletedTask);
        _work.Delete(recursive: true);
    }

    [Fact]
    public async Task Commands_ThatChangeTheRoot_SayTheSameWithADaemon()
    {
        await SameAsync("--format", "json", "pull", _reference);
        await SameAsync("--format", "json", "pull", _reference);
        await SameAsync("--format", "json", "images", "inspect", _reference);
        await SameAsync("--format", "json", "images", "tag", _reference, "short");
        await SameAsync("images", "tag", "short", "shorter:1");
        await SameAsync("images", "pin", "short", _reference);
        await SameAsync("images", "rm", "short");
        await SameAsync("images", "unpin", "short", "docker.io/library/short:latest");
        await SameAsync("images", "rm", "short", "none");
        await SameAsync("--format", "json", "images", "ls");
        await SameAsync("--format", "json", "lease", "create", "one", "--label", "a=b", "--expires", "24h");
        await SameAsync("lease", "create", "one");
        await SameAsync("lease", "add", "one", $"images:{_reference}", "content:sha256:00");
        await SameAsync("lease", "add", "one", $"images:{_reference}");
        await SameAsync("lease", "add", "none", $"images:{_reference}");
        await SameAsync("--format", "json", "lease", "ls");
        await SameAsync("images", "rm", "short", "shorter:1", _reference);
        await SameAsync("lease", "rm", "none");
        await SameAsync("lease", "rm", "one");

        // A daemon collects by itself what the lease kept, sooner or later.
        Assert.Equal(["removed"], (await Task.WhenAll(_served.OkAsync("--quiet", "gc"), _alone.OkAsync("--quiet", "gc"))).Select(told => told.Split(' ')[0]).Distinct());
        await SameAsync("--format", "json", "gc");
        await SameAsync("content", "ls");
        await SameAsync("fsck");
    }

    [Fact]
    public async Task Commands_AboutNamespaces_SayTheSameWithADaemon()
    {
        await SameAsync("--format", "json", "namespaces", "create", "team", "owner=alice", "--bytes", "1M", "--images", "1");
        await SameAsync("namespaces", "create", "team");
        await SameAsync("--format", "json", "namespaces", "label", "team", "owner=", "more=yes");
        await SameAsync("--format", "json", "namespaces", "quota", "team", "--bytes", "none");
        await SameAsync("namespaces", "quota", "none", "--bytes", "none");
        await SameAsync("-n", "team", "--quiet", "pull", _reference);
        await SameAsync("-n", "team", "images", "tag", _reference, "another");
        await SameAsync("namespaces", "rm", "team");
        await SameAsync("-n", "team", "images", "rm", _reference);
        await SameAsync("--format", "json", "namespaces", "ls");
        await SameAsync("namespaces", "rm", "team");
        await SameAsync("namespaces", "ls");
    }

    [Theory]
    [InlineData("pull", "--policy", "never", "127.0.0.1:1/none:1")]
    [InlineData("pull", "127.0.0.1:1/none:1")]
    [InlineData("pull", "UPPER/case")]
    [InlineData("pull", "--platform", "linux/none", "REFERENCE")]
    [InlineData("pull", "--snapshotter", "none", "REFERENCE")]
    [InlineData("images", "rm", "none")]
    [InlineData("images", "tag", "none", "x")]
    [InlineData("images", "pin", "none")]
    [InlineData("content", "rm", "sha256:0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("content", "rm", "sha256:00")]
    [InlineData("lease", "create", "a/b")]
    [InlineData("namespaces", "create", "a/b")]
    [InlineData("namespaces", "rm", "none")]
    public Task Commands_ThatFail_SayTheSameWithADaemon(params string[] arguments) =>
        SameAsync([.. arguments.Select(argument => argument == "REFERENCE" ? _reference : argument)]);

    [Fact]
    public async Task Pull_OfEveryKind_IsWhatItIsWithoutADaemon()
    {
        await SameAsync("--format", "json", "pull", "--no-unpack", _reference);
        await SameAsync("--format", "json", "pull", "--policy", "missing", "--pin", "--sync", _reference);
        await SameAsync("--format", "json", "pull", "--policy", "never", "--all-platforms", "--snapshotter", "native", _reference);
        await SameAsync("--format", "json", "images", "ls");
        await SameAsync("gc");
    }

    [Fact]
    public async Task Pull_WhenTheDaemonIsKilled_SaysSo_AndARepeatIsDone()
    {
        var large = await registry.PushAsync(Layouts.Random(In("large"), 2, 50, 100_000, 8), "served-large");
        using var pull = _served.Start("--limit-rate", "300k", "pull", large);
        while (await pull.StandardError.ReadLineAsync() is { } line && !line.Contains("downloading", StringComparison.Ordinal))
        {
            // It has not begun.
        }

        _daemon!.Kill();
        await pull.WaitForExitAsync();

        Assert.Equal(8, pull.ExitCode);
        Assert.Contains("went away in the middle of the call", await pull.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        await _served.OkAsync("pull", large);
        Assert.Contains(large, await _served.OkAsync("images", "ls"), StringComparison.Ordinal);
        await _served.OkAsync("fsck");
    }

    [Fact]
    public async Task Pull_ThatIsInterrupted_LeavesTheDaemonAlone_AndARepeatGoesOn()
    {
        var large = await registry.PushAsync(Layouts.Random(In("large"), 2, 50, 100_000, 8), "served-large");
        using var pull = _served.Start("--limit-rate", "300k", "pull", large);
        while (await pull.StandardError.ReadLineAsync() is { } line && !line.Contains("downloading", StringComparison.Ordinal))
        {
            // It has not begun.
        }

        await Run.AsyncOk("kill", "-INT", pull.Id.ToString(CultureInfo.InvariantCulture));
        await pull.WaitForExitAsync();

        Assert.Equal(130, pull.ExitCode);
        await _served.OkAsync("pull", large);
        await _served.OkAsync("fsck");
    }

    [Fact]
    public async Task Commands_ThatADaemonCannotDo_AreRefused_AndSayWhoHasTheRoot()
    {
        await _served.OkAsync("pull", _reference);
        foreach (var arguments in (string[][])[["unpack", _reference], ["namespaces", "rm", "--purge", "default"], ["import", "-"]])
        {
            var refused = await _served.TryWithInputAsync(string.Empty, arguments);
            Assert.Equal((arguments[0], 5), (arguments[0], refused.ExitCode));
            Assert.Contains("daemon", refused.Error, StringComparison.Ordinal);
        }

        Assert.Contains(_reference, await _served.OkAsync("images", "ls"), StringComparison.Ordinal);
    }

    /// <summary>Does the same with a daemon and without one, and compares output, errors and exit codes.</summary>
    private async Task SameAsync(params string[] arguments)
    {
        var (served, alone) = (await _served.TryAsync(arguments), await _alone.TryAsync(arguments));
        Assert.Equal((string.Join(' ', arguments), Plain(alone.Output)), (string.Join(' ', arguments), Plain(served.Output)));
        Assert.Equal((string.Join(' ', arguments), Plain(alone.Error)), (string.Join(' ', arguments), Plain(served.Error)));
        Assert.Equal((string.Join(' ', arguments), alone.ExitCode), (string.Join(' ', arguments), served.ExitCode));
    }

    // Layers arrive in any order, and each root has its own place and its own times.
    private string Plain(string text)
    {
        if (text.StartsWith('{') || text.StartsWith('['))
        {
            return WithoutTimes(JsonNode.Parse(text))!.ToJsonString();
        }

        var lines = text.Replace(_served.Root, "ROOT", StringComparison.Ordinal).Replace(_alone.Root, "ROOT", StringComparison.Ordinal).Split('\n')
            .Select(line => Regex.Replace(line, "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}", "TIME"));
        return string.Join('\n', lines.Where(line => !line.StartsWith("layer ", StringComparison.Ordinal) && !line.StartsWith("config ", StringComparison.Ordinal)));
    }

    private static JsonNode? WithoutTimes(JsonNode? node)
    {
        if (node is JsonObject entries)
        {
            foreach (var key in s_ownTimes)
            {
                entries.Remove(key);
            }

            if (entries["labels"] is JsonObject labels && labels.ContainsKey("containerd.io/gc.expire"))
            {
                labels["containerd.io/gc.expire"] = "a time";
            }
        }

        foreach (var inner in node is JsonObject all ? all.Select(entry => entry.Value) : node as IEnumerable<JsonNode?> ?? [])
        {
            WithoutTimes(inner);
        }

        return node;
    }

    private string In(string name) => Path.Combine(_work.FullName, name);
}
