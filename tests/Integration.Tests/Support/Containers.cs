using System.Text.Json.Nodes;

namespace ImageStore.Integration.Tests.Support;

/// <summary>Runs bundles with a real runtime, and makes the image that they are of.</summary>
internal static class Containers
{
    private const string Hybrid = "/sys/fs/cgroup/unified";

    /// <summary>Puts an image that can run, of the shared fixtures, into the store; the name is <c>box:1</c>.</summary>
    public static async Task<string> MakeAsync(ImageStoreCli cli, string work)
    {
        Run.NeedRoot();
        Run.Need("python3", "busybox");
        var layout = Path.Combine(work, "layout");
        await Run.AsyncOk("python3", Fixtures.MakeImage(), layout, "--preset", "busybox");
        await cli.OkAsync("-q", "import", "--name", "box:1", layout);
        return layout;
    }

    /// <summary>Makes <c>box:2</c> of it: with what a script does in its root, and changes of its configuration.</summary>
    public static async Task ChangeAsync(ImageStoreCli cli, string work, string script, params string[] changes)
    {
        var mounted = Directory.CreateDirectory(Path.Combine(work, "mnt")).FullName;
        await cli.OkAsync("-q", "mount", "--rw", "box:1", mounted);
        try
        {
            await Run.AsyncOk("sh", "-ec", $"cd {mounted}\n{script}");
            await cli.OkAsync(["-q", "commit", .. changes.SelectMany(change => (string[])["--change", change]), mounted, "box:2"]);
        }
        finally
        {
            await cli.OkAsync("-q", "unmount", mounted);
        }
    }

    /// <summary>Runs the bundle to its end.</summary>
    public static Task<Run.Result> TryAsync(string runtime, string bundle)
    {
        Run.Need(runtime);
        var name = $"imagestore-{Guid.NewGuid():N}";
        string[] run = [runtime, "run", "--bundle", bundle, name];

        // crun refuses to run beside both versions of control groups, so it sees one of them.
        return runtime == "crun" && Directory.Exists(Hybrid)
            ? Run.TryAsync("unshare", ["-m", "sh", "-c", $"umount {Hybrid} && exec \"$@\"", "sh", .. run])
            : Run.TryAsync(run[0], run[1..]);
    }

    public static async Task<string> OkAsync(string runtime, string bundle)
    {
        var result = await TryAsync(runtime, bundle);
        Assert.True(result.ExitCode == 0, $"{runtime} ended with {result.ExitCode}: {result.Error}{result.Output}");
        return result.Output;
    }

    public static JsonNode Spec(string bundle) => JsonNode.Parse(File.ReadAllText(Path.Combine(bundle, "config.json")))!;
}
