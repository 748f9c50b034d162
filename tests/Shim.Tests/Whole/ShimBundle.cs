using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Runc;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Interop;

namespace ImageStore.Shim.Tests.Whole;

/// <summary>A bundle with busybox, and the shim as a process of its own that a test starts, calls and kills as containerd does.</summary>
/// <remarks>The OCI runtime is a script, which a test may have do something before or instead of runc.</remarks>
internal sealed class ShimBundle : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const string ShimName = "containerd-shim-imagestore-v1";
    private const string Service = "containerd.task.v2.Task";

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("shim-whole-");
    private readonly List<TtrpcClient> _clients = [];
    private readonly HashSet<string> _addresses = [];

    public ShimBundle()
    {
        if (!Environment.IsPrivilegedProcess || Find("runc") is null || !File.Exists("/bin/busybox"))
        {
            Assert.Skip("needs root, runc and busybox-static");
        }

        Id = $"whole-{Guid.NewGuid():N}"[..16];
        Directory.CreateDirectory(Bundle);
        foreach (var folder in (string[])["bin", "proc", "dev", "sys"])
        {
            Directory.CreateDirectory(Path.Combine(Bundle, "rootfs", folder));
        }

        File.Copy("/bin/busybox", Path.Combine(Bundle, "rootfs/bin/busybox"));
        File.CreateSymbolicLink(Path.Combine(Bundle, "rootfs/bin/sh"), "busybox");
        File.CreateSymbolicLink(Path.Combine(Bundle, "rootfs/bin/sleep"), "busybox");
        WriteSpec("sleep", "1000");
        WriteRuntime(string.Empty);
    }

    /// <summary>The container, and the namespace that it alone has.</summary>
    public string Id { get; }

    public string Bundle => Path.Combine(_work.FullName, "bundles", Id);

    /// <summary>What the shim has in its environment beside what all have.</summary>
    public Dictionary<string, string> Variables { get; } = [];

    /// <summary>Is it the native one? One that is not opens a file whenever it first needs a part of .NET.</summary>
    public static bool IsNative => Path.GetDirectoryName(Program()) != Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);

    /// <summary>How many files the shim and what it runs may have open, where that is limited.</summary>
    public int? FileLimit { get; set; }

    public string In(string name) => Path.Combine(_work.FullName, name);

    /// <summary>Has the OCI runtime do something before it is runc: <c>$verb</c> is what it is asked for.</summary>
    public void WriteRuntime(string script)
    {
        // The verb is the first word that is no option of runc's own, nor the value of one.
        File.WriteAllText(In("runtime"), $"""
            #!/bin/sh
            verb=; skip=
            for word; do
              if [ -n "$skip" ]; then skip=; continue; fi
              case $word in --root|--log|--log-format) skip=1;; --*) ;; *) verb=$word; break;; esac
            done
            {script}
            exec runc "$@"
            """);
        File.SetUnixFileMode(In("runtime"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void WriteSpec(params string[] arguments)
    {
        var words = string.Join(',', arguments.Select(word => $"\"{word}\""));
        File.WriteAllText(Path.Combine(Bundle, "config.json"), $$$"""
            {"ociVersion":"1.0.2","process":{"user":{"uid":0,"gid":0},"args":[{{{words}}}],"env":["PATH=/bin"],"cwd":"/"},
             "root":{"path":"rootfs"},"mounts":[{"destination":"/proc","type":"proc","source":"proc"}],
             "linux":{"cgroupsPath":"/{{{Id}}}/{{{Id}}}","namespaces":[{"type":"pid"},{"type":"mount"},{"type":"ipc"},{"type":"uts"}]}}
            """);
    }

    /// <summary>Has the shim start; its address.</summary>
    public async Task<string> StartAsync(string id = "")
    {
        var (code, output) = await RunAsync(["-namespace", Id, "-id", id.Length > 0 ? id : Id, "-address", In("containerd"), "start"]);
        Assert.True(code == 0, output);
        var address = output["unix://".Length..];
        _addresses.Add(address);
        return address;
    }

    /// <summary>Has a killed shim's container cleaned up.</summary>
    public async Task DeleteAsync() => Assert.Equal(0, (await RunAsync(["-namespace", Id, "-id", Id, "-address", In("containerd"), "-bundle", Bundle, "delete"])).Code);

    public async Task<TtrpcClient> ConnectAsync(string address)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(address));
        var client = new TtrpcClient(new NetworkStream(socket, ownsSocket: true), TimeProvider.System);
        _clients.Add(client);
        return client;
    }

    public static Task<T> CallAsync<T>(TtrpcClient client, string method, IMessage request, MessageParser<T> answer)
        where T : IMessage<T> => client.CallAsync(Service, method, request, answer, [], Patience, CancellationToken.None);

    public CreateTaskRequest Creation() => new()
    {
        Id = Id,
        Bundle = Bundle,
        Options = new Any
        {
            TypeUrl = "containerd.runc.v1.Options",
            Value = new Options { BinaryName = In("runtime"), Root = In("state") }.ToByteString(),
        },
    };

    public async Task CreateAsync(TtrpcClient client) => await CallAsync(client, "Create", Creation(), CreateTaskResponse.Parser);

    public async Task StartTaskAsync(TtrpcClient client) => await CallAsync(client, "Start", new StartRequest { Id = Id }, StartResponse.Parser);

    public async Task<Runtime.Protocol.Tasks.TaskStatus> StatusAsync(TtrpcClient client) =>
        (await CallAsync(client, "State", new StateRequest { Id = Id }, StateResponse.Parser)).Status;

    /// <summary>Ends the task, and the shim with it.</summary>
    public async Task EndAsync(TtrpcClient client)
    {
        await CallAsync(client, "Kill", new KillRequest { Id = Id, Signal = 9 }, Empty.Parser);
        await CallAsync(client, "Wait", new WaitRequest { Id = Id }, WaitResponse.Parser);
        await CallAsync(client, "Delete", new DeleteRequest { Id = Id }, DeleteResponse.Parser);
    }

    /// <summary>Processes whose arguments or environment have a word.</summary>
    public static List<int> Processes(string word) =>
    [
        .. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Select(int.Parse!)
            .Where(pid => pid != Environment.ProcessId && (Text(pid, "cmdline") + Text(pid, "environ")).Contains(word, StringComparison.Ordinal)),
    ];

    /// <summary>The one shim.</summary>
    public List<int> Shims() => [.. Processes(Id).Where(pid => Text(pid, "cmdline").Contains($"{ShimName}", StringComparison.Ordinal))];

    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        for (var begun = Stopwatch.StartNew(); !condition(); await Task.Delay(20))
        {
            Assert.True(begun.Elapsed < Patience, what);
        }
    }

    /// <summary>What there is of the container beside its bundle: processes, cgroups, a socket and what runc knows.</summary>
    public List<string> Left() =>
    [
        .. Processes(Id).Select(pid => $"{pid} {Text(pid, "cmdline").Replace('\0', ' ')}"),
        .. Directory.EnumerateDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup").Select(folder => Path.Combine(folder, Id, Id)).Where(Directory.Exists),
        .. _addresses.Where(File.Exists),
        .. Directory.Exists(In($"state/{Id}")) ? Directory.GetDirectories(In($"state/{Id}")) : [],
    ];

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }

        foreach (var pid in Processes(Id))
        {
            _ = Signals.Send(pid, Signals.Kill);
        }

        await RunAsync(["-namespace", Id, "-id", Id, "-address", In("containerd"), "-bundle", Bundle, "delete"]);
        foreach (var folder in Directory.EnumerateDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup").Select(folder => Path.Combine(folder, Id)).Where(Directory.Exists))
        {
            Directory.Delete(folder);
        }

        // Of those that were begun without ours: what runc's default root has.
        if (Directory.Exists($"/run/containerd/runc/{Id}"))
        {
            Directory.Delete($"/run/containerd/runc/{Id}", recursive: true);
        }

        _work.Delete(recursive: true);
    }

    public async Task<(int Code, string Output)> RunAsync(IReadOnlyList<string> arguments, byte[]? input = null)
    {
        string[] limited = ["-c", $"ulimit -n {FileLimit}; exec \"$0\" \"$@\"", Program(), .. arguments];
        var start = new ProcessStartInfo(FileLimit is null ? Program() : "sh", FileLimit is null ? arguments : limited)
        {
            WorkingDirectory = Bundle, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
            StandardOutputEncoding = Encoding.Latin1, // a byte a character
        };
        foreach (var (name, value) in Variables)
        {
            start.Environment[name] = value;
        }

        using var process = System.Diagnostics.Process.Start(start)!;
        await process.StandardInput.BaseStream.WriteAsync(input ?? []);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Patience);
        return (process.ExitCode, process.ExitCode == 0 ? await output : await error);
    }

    private static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':').Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    // The native one, where ./test has built it; else that which lies beside the tests.
    private static string Program()
    {
        var built = Environment.GetEnvironmentVariable("IMAGESTORE_BIN");
        var folder = built is { Length: > 0 } ? Path.GetDirectoryName(new FileInfo(built).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? built)! : AppContext.BaseDirectory;
        return Path.Combine(folder, ShimName) is var program && File.Exists(program) ? program : Path.Combine(AppContext.BaseDirectory, ShimName);
    }

    private static string Text(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }
}
