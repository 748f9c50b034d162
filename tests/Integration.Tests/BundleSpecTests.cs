using System.Text.Json.Nodes;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests;

/// <summary>Our configuration of a container beside that which containerd makes of the same image and options.</summary>
public sealed class BundleSpecTests : IAsyncDisposable
{
    // Debian's containerd is 1.6.20; ours is what its newest allows: no io_uring, and sockets but for two families.
    private static readonly string[] s_theirCallsAlone = ["io_uring_enter", "io_uring_register", "io_uring_setup", "socket"];

    // Calls of kernels since, a handle that opens nothing without a capability, and what a tracer could do anyway.
    private static readonly string[] s_ourCallsAlone =
    [
        "cachestat", "fchmodat2", "futex_requeue", "futex_wait", "futex_wake", "getxattrat", "listmount", "listxattrat", "lsm_get_self_attr", "lsm_list_modules",
        "lsm_set_self_attr", "map_shadow_stack", "mseal", "name_to_handle_at", "process_vm_readv", "process_vm_writev", "removexattrat", "setxattrat", "statmount", "uretprobe",
    ];

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-bundle-");

    public async ValueTask DisposeAsync() => await Run.AsyncOk("rm", "-r", "-f", "--one-file-system", _work.FullName);

    [Fact]
    public async Task Bundle_OfTheSameImageAndOptions_SaysWhatContainerdSays()
    {
        Run.Need("containerd", "ctr");
        var cli = new ImageStoreCli(In("root"));
        await Containers.MakeAsync(cli, _work.FullName);
        await Containers.ChangeAsync(
            cli, _work.FullName,
            """
            echo 'app:x:1000:1001:App:/home/app:/bin/sh' >> etc/passwd
            printf 'app:x:1001:\nmore:x:2000:app\n' >> etc/group
            """,
            "USER app", "WORKDIR /srv", "ENV MODE=image", "ENTRYPOINT [\"/bin/sh\"]", "CMD [\"-c\", \"true\"]");
        await cli.OkAsync("-q", "bundle", "--read-only", "-m", "64M", "-e", "A=b", "-e", "MODE=mine", "--mount", "type=bind,src=/etc,dst=/host,options=rbind:rprivate:ro", "--cap-add", "NET_ADMIN", "box:2", In("box"));
        await cli.OkAsync("-q", "export", In("box.tar"), "box:2");

        await using var containerd = await Containerd.StartAsync(In("containerd"));
        await containerd.CtrAsync("images", "import", In("box.tar"));
        await containerd.CtrAsync(
            "containers", "create", "--seccomp", "--read-only", "--memory-limit", "67108864", "--env", "A=b", "--env", "MODE=mine",
            "--mount", "type=bind,src=/etc,dst=/host,options=rbind:rprivate:ro", "--cap-add", "CAP_NET_ADMIN", "docker.io/library/box:2", "theirs");
        var theirs = JsonNode.Parse(await containerd.CtrAsync("containers", "info", "theirs"))!["Spec"]!;
        var ours = Containers.Spec(In("box"));

        CompareCalls(Take(theirs, "linux", "seccomp")!, Take(ours, "linux", "seccomp")!);

        // The version of the specification; the group, which is called by a container that a bundle does not know yet; and what
        // the image says of itself, which containerd keeps in the container's labels.
        Assert.Equal("1.0.2-dev 1.0.2", $"{Take(theirs, "ociVersion")} {Take(ours, "ociVersion")}");
        Assert.Equal("/default/theirs", Take(theirs, "linux", "cgroupsPath")!.ToString());
        Assert.Null(ours["linux"]!["cgroupsPath"]);
        Assert.Equal("linux", Take(ours, "annotations")!["org.opencontainers.image.os"]!.ToString());

        // Masked since, for the sake of CVE-2020-8694: what the processor takes tells what it computes.
        ours["linux"]!["maskedPaths"]!.AsArray().RemoveAll(path => path!.ToString() == "/sys/devices/virtual/powercap");

        var (expected, actual) = (Sorted(theirs)!, Sorted(ours)!);
        Assert.True(JsonNode.DeepEquals(expected, actual), $"theirs {expected.ToJsonString()}\nours   {actual.ToJsonString()}");
    }

    private static void CompareCalls(JsonNode theirs, JsonNode ours)
    {
        Assert.Equal($"{theirs["defaultAction"]} {theirs["architectures"]!.ToJsonString()}", $"{ours["defaultAction"]} {ours["architectures"]!.ToJsonString()}");
        var (them, us) = (Allowed(theirs), Allowed(ours));
        Assert.Equal(s_theirCallsAlone, them.Except(us).Order(StringComparer.Ordinal));
        Assert.Equal(s_ourCallsAlone, us.Except(them).Order(StringComparer.Ordinal));
        Assert.Equal(Conditions(theirs), Conditions(ours).Where(rule => !rule.StartsWith("socket ", StringComparison.Ordinal)));
    }

    private static IEnumerable<JsonNode> Rules(JsonNode seccomp) => seccomp["syscalls"]!.AsArray().Select(rule => rule!);

    private static List<string> Allowed(JsonNode seccomp) =>
        [.. Rules(seccomp).Where(rule => rule["action"]!.ToString() == "SCMP_ACT_ALLOW" && rule["args"] is null).SelectMany(rule => rule["names"]!.AsArray().Select(name => name!.ToString())).Distinct()];

    private static IEnumerable<string> Conditions(JsonNode seccomp) => Rules(seccomp)
        .Where(rule => rule["args"] is not null || rule["errnoRet"] is not null)
        .Select(rule => $"{rule["names"]![0]} {rule["action"]} {rule["errnoRet"]} {rule["args"]?[0]?["index"]} {rule["args"]?[0]?["value"]} {rule["args"]?[0]?["op"]}")
        .Order(StringComparer.Ordinal);

    private static JsonNode? Take(JsonNode from, params string[] path)
    {
        var holder = path[..^1].Aggregate(from, (node, name) => node[name]!).AsObject();
        var found = holder[path[^1]];
        holder.Remove(path[^1]);
        return found;
    }

    // What has no order is put into one: everything but the mounts and the words of the command.
    private static JsonNode? Sorted(JsonNode? node, string name = "") => node switch
    {
        JsonObject members => new JsonObject(members.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, Sorted(pair.Value, pair.Key)))),
        JsonArray items when name is "args" or "mounts" or "options" => new JsonArray([.. items.Select(item => Sorted(item))]),
        JsonArray items => new JsonArray([.. items.Select(item => Sorted(item)).OrderBy(item => item!.ToJsonString(), StringComparer.Ordinal)]),
        _ => node?.DeepClone(),
    };

    private string In(string name) => Path.Combine(_work.FullName, name);
}
