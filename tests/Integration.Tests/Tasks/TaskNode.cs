using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Tasks;

/// <summary>A daemon that runs containers by a shim, with an image of busybox and a namespace that nobody else has.</summary>
/// <param name="runtime">The name of the runtime.</param>
/// <param name="shim">The name of its shim's program.</param>
public abstract class TaskNode(string runtime, string shim) : IAsyncLifetime
{
    public const string Image = "busybox:test";

    protected const string OurRuntime = "io.containerd.imagestore.v1";
    protected const string OurShim = "containerd-shim-imagestore-v1";

    private const int Attempts = 200;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly string[] s_applets = ["sh", "echo", "cat", "sleep", "true", "kill", "ls", "dd", "env", "stty", "tty"];

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("shim-");
    private readonly string _tenant = $"shim-{Guid.NewGuid():N}"[..16];
    private readonly ConcurrentDictionary<string, bool> _words = [];
    private Process? _server;

    /// <summary>A folder for whatever a test needs.</summary>
    public string Work => _work.FullName;

    public bool IsOurShim => shim == OurShim;

    /// <summary>The shim's program.</summary>
    public abstract string Shim { get; }

    protected string Socket => Path.Combine(Work, "sock");

    public async ValueTask InitializeAsync()
    {
        if (!IsPossible())
        {
            return;
        }

        try
        {
            await StartAsync();
            await ImportAsync();
        }
        catch
        {
            // Of a fixture that is not there nothing is disposed of.
            await EndAsync();
            throw;
        }
    }

    /// <summary>A program that lies beside the one that was built.</summary>
    protected static string Built(string name)
    {
        var program = new FileInfo(ImageStoreCli.Binary);
        var folder = (program.ResolveLinkTarget(returnFinalTarget: true) ?? program).FullName;
        var built = Path.Combine(Path.GetDirectoryName(folder)!, name);
        return File.Exists(built) ? built : throw new InvalidOperationException($"There is no {built}: run ./test.");
    }

    /// <summary>The shell's words that become the daemon, whose state is in <see cref="Work"/>, below <c>state</c>.</summary>
    protected abstract string Command();

    /// <summary>Skips the test where it cannot be run.</summary>
    public static void Need()
    {
        Run.NeedRoot();
        Run.Need("containerd", "ctr", "runc");
        if (!File.Exists("/bin/busybox"))
        {
            Assert.Skip("busybox-static is not installed");
        }
    }

    /// <summary>Runs ctr, whatever it ends with.</summary>
    internal Task<Run.Result> TryAsync(params string[] arguments) => Run.TryAsync("ctr", [.. Global(), .. Noted(arguments)]);

    /// <summary>Runs ctr, which has to end well.</summary>
    internal Task<string> OkAsync(params string[] arguments) => Run.AsyncOk("ctr", [.. Global(), .. Noted(arguments)]);

    /// <summary>Begins ctr.</summary>
    internal Process Start(params string[] arguments) => Run.Start("ctr", [.. Global(), .. Noted(arguments)]);

    /// <summary>What <c>ctr run</c> takes before the container's name.</summary>
    internal string[] With(params string[] options) => ["run", "--runtime", runtime, .. options, Image];

    /// <summary>ctr as a shell has it.</summary>
    internal string CommandLine(params string[] arguments) => string.Join(' ', ["ctr", .. Global(), .. Noted(arguments)]);

    /// <summary>Waits until a task is as it should be; empty for there is none.</summary>
    internal async Task WaitForAsync(string id, string status)
    {
        var seen = string.Empty;
        for (var until = Stopwatch.StartNew(); until.Elapsed < s_patience; await Task.Delay(50))
        {
            seen = (await OkAsync("tasks", "ls")).Split('\n').FirstOrDefault(line => line.StartsWith(id + " ", StringComparison.Ordinal)) ?? string.Empty;
            if (status.Length == 0 ? seen.Length == 0 : seen.TrimEnd().EndsWith(status, StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"{id} is not {status}: '{seen}'. {await LogAsync()}");
    }

    /// <summary>The process of a task.</summary>
    internal async Task<int> PidOfAsync(string id) =>
        int.Parse((await OkAsync("tasks", "ls")).Split('\n').Single(line => line.StartsWith(id + " ", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);

    /// <summary>The shims of a container.</summary>
    internal async Task<List<int>> ShimsOfAsync(string id) => [.. (await ProcessesAsync())
        .Where(line => line.Contains(shim, StringComparison.Ordinal) && line.Contains($"-id {id} -address {Socket}", StringComparison.Ordinal))
        .Select(line => int.Parse(line.Split(' ', 2, StringSplitOptions.RemoveEmptyEntries)[0]))];

    /// <summary>The processes of the OCI runtime that work for this node.</summary>
    internal async Task<List<int>> RuntimesAsync() => [.. (await ProcessesAsync())
        .Where(line => line.Contains("runc --root", StringComparison.Ordinal) && line.Contains(Work, StringComparison.Ordinal))
        .Select(line => int.Parse(line.Split(' ', 2, StringSplitOptions.RemoveEmptyEntries)[0]))];

    /// <summary>Waits until a container has no shim: one ends a little later than its last task.</summary>
    internal async Task WaitForNoShimAsync(string id)
    {
        for (var until = Stopwatch.StartNew(); (await ShimsOfAsync(id)).Count > 0; await Task.Delay(50))
        {
            Assert.True(until.Elapsed < s_patience, $"{id} has a shim still");
        }
    }

    /// <summary>Kills a task and removes it with its container.</summary>
    internal async Task RemoveAsync(string id)
    {
        await TryAsync("tasks", "kill", "-s", "KILL", id);
        await WaitForAsync(id, "STOPPED");
        await TryAsync("tasks", "rm", id);
        await OkAsync("containers", "rm", id);
    }

    internal async Task KillAsync()
    {
        _server!.Kill();
        await _server.WaitForExitAsync();
    }

    internal async Task StartAsync()
    {
        _server = Run.Start("sh", ["-c", $"exec {Command()} >> {Work}/log 2>&1"]);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if ((await TryAsync("version")).ExitCode == 0)
            {
                return;
            }

            await Task.Delay(50);
        }

        throw new InvalidOperationException($"the daemon does not answer: {await LogAsync()}");
    }

    public async ValueTask DisposeAsync()
    {
        var left = _server is null ? [] : await LeftAsync();
        await EndAsync();
        Assert.True(left.Count == 0, $"It is left: {string.Join("; ", left)}");
    }

    /// <summary>Takes everything away, also what a test that failed has left.</summary>
    private async Task EndAsync()
    {
        try
        {
            if (_server is not null)
            {
                await RemoveAllAsync();
            }
        }
        finally
        {
            if (_server is not null)
            {
                await KillAsync();
                _server.Dispose();
            }

            foreach (var pid in (await ProcessesAsync()).Where(IsOurs).Select(line => line.Split(' ', 2, StringSplitOptions.RemoveEmptyEntries)[0]))
            {
                await Run.TryAsync("kill", ["-9", pid]);
            }

            foreach (var target in (await File.ReadAllLinesAsync("/proc/self/mountinfo")).Select(line => line.Split(' ')[4]).Where(IsBelowWork).Reverse())
            {
                await Run.TryAsync("umount", ["-l", target]);
            }

            foreach (var folder in CgroupFolders())
            {
                Directory.Delete(folder);
            }

            if (Directory.Exists(RuncFolder) && Directory.GetFileSystemEntries(RuncFolder).Length == 0)
            {
                Directory.Delete(RuncFolder);
            }

            _work.Delete(recursive: true);
        }
    }

    private async Task RemoveAllAsync()
    {
        var result = await TryAsync("containers", "ls", "-q");
        foreach (var id in result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            await TryAsync("tasks", "rm", "-f", id);
            await TryAsync("containers", "rm", id);
        }
    }

    private bool IsOurs(string line) => line.Contains(shim, StringComparison.Ordinal) && line.Contains(Socket, StringComparison.Ordinal);

    private bool IsBelowWork(string target) => target.StartsWith(Work + "/", StringComparison.Ordinal);

    private static bool IsPossible() =>
        Environment.IsPrivilegedProcess && Run.Find("ctr") is not null && Run.Find("containerd") is not null && Run.Find("runc") is not null && File.Exists("/bin/busybox");

    /// <summary>What there should be none of any more: shims, mounts, bundles, sockets and cgroups.</summary>
    private async Task<List<string>> LeftAsync()
    {
        List<string> left = [];
        for (var until = Stopwatch.StartNew(); until.Elapsed < TimeSpan.FromSeconds(5); await Task.Delay(100))
        {
            left =
            [
                .. (await ProcessesAsync()).Where(IsOurs),
                .. (await File.ReadAllLinesAsync("/proc/self/mountinfo")).Where(line => line.Contains(Work, StringComparison.Ordinal)),
                .. Bundles(),
                .. Directory.Exists(RuncFolder) ? Directory.GetFileSystemEntries(RuncFolder) : [],
                .. Sockets(),
                .. Terminals(),
                .. CgroupFolders().SelectMany(Directory.EnumerateDirectories),
            ];
            if (left.Count == 0)
            {
                return left;
            }
        }

        return left;
    }

    private string RuncFolder => Path.Combine("/run/containerd/runc", _tenant);

    /// <summary>Any word that was ever said to ctr may be the name of a container or of a group, by which a socket is named.</summary>
    private string[] Noted(string[] arguments)
    {
        foreach (var word in arguments)
        {
            _words[word[(word.LastIndexOf('=') + 1)..]] = true;
        }

        return arguments;
    }

    private IEnumerable<string> Sockets() => _words.Keys
        .Select(word => "/run/containerd/s/" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.Join(Socket, _tenant, word)))))
        .Where(File.Exists);

    /// <summary>Folders of terminals' sockets on which nobody listens; others may have theirs.</summary>
    private static IEnumerable<string> Terminals()
    {
        var open = File.ReadLines("/proc/net/unix").Select(line => line.Split(' ')[^1]).ToHashSet();
        return Directory.GetDirectories(Path.GetTempPath(), "pty*").Where(folder => !open.Contains(Path.Combine(folder, "pty.sock")));
    }

    private string[] Bundles() =>
        Path.Combine(Work, "state/io.containerd.runtime.v2.task", _tenant) is var folder && Directory.Exists(folder) ? Directory.GetDirectories(folder) : [];

    private IEnumerable<string> CgroupFolders() =>
        Directory.EnumerateDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup").Select(folder => Path.Combine(folder, _tenant)).Where(Directory.Exists);

    private static async Task<string[]> ProcessesAsync() => (await Run.AsyncOk("ps", "-eo", "pid,args", "-ww")).Split('\n');

    private async Task ImportAsync()
    {
        using var layer = new LayerBuilder().Directory("bin/").Directory("tmp/").Directory("proc/").Directory("dev/").Directory("sys/")
            .File("bin/busybox", await File.ReadAllBytesAsync("/bin/busybox"), 0x1ED);
        foreach (var applet in s_applets)
        {
            layer.Symlink($"bin/{applet}", "busybox");
        }

        var layout = Layouts.Write(Path.Combine(Work, "layout"), [Layouts.Gzip(layer.ToArray())]);
        await Run.AsyncOk("tar", "-C", layout, "-cf", Path.Combine(Work, "image.tar"), ".");
        await OkAsync("images", "import", "--base-name", "busybox", Path.Combine(Work, "image.tar"));
        await OkAsync("images", "tag", "busybox:latest", Image);
    }

    private async Task<string> LogAsync() => File.Exists(Path.Combine(Work, "log")) ? await File.ReadAllTextAsync(Path.Combine(Work, "log")) : string.Empty;

    private string[] Global() => ["-a", Socket, "-n", _tenant];
}
