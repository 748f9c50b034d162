using System.Diagnostics;
using System.Globalization;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>A mount namespace in which the machine is another boot than it is, or the same; runs one program at a time.</summary>
/// <remarks>
/// The kernel's boot id is covered by a file, which only programs in the namespace see; the program under test needs no
/// switch for it. What they mount goes with the namespace. Without root there are no snapshots, so nobody asks.
/// A shell inside starts the programs, since entering a namespace takes longer than most of them do.
/// </remarks>
internal sealed class Boot : IAsyncDisposable
{
    private const string BootId = "/proc/sys/kernel/random/boot_id";
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    private readonly Process? _shell;
    private readonly string _files;

    private Boot(Process? shell, string files, Account account) => (_shell, _files, Account) = (shell, files, account);

    /// <summary>Who runs programs here.</summary>
    public Account Account { get; }

    /// <summary>What stands before a path to see it from outside as those inside do.</summary>
    public string RootPath => _shell is null ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"/proc/{_shell.Id}/root");

    /// <summary>The boot that the machine is in.</summary>
    public static Task<Boot> SameAsync(Scratch scratch, Account account) => StartAsync("true", scratch, account);

    /// <summary>Another boot.</summary>
    public static async Task<Boot> AnotherAsync(Scratch scratch, Account account)
    {
        var file = scratch.New("boot-id");
        await File.WriteAllTextAsync(file, $"{Guid.NewGuid()}\n");
        return await StartAsync($"mount --bind '{file}' {BootId}", scratch, account);
    }

    /// <summary>A command line that runs a program inside.</summary>
    public IReadOnlyList<string> Command(IReadOnlyList<string> command) =>
        _shell is null
            ? command
            : ["nsenter", string.Create(CultureInfo.InvariantCulture, $"--mount=/proc/{_shell.Id}/ns/mnt"), "--", .. command];

    /// <summary>Runs a program inside.</summary>
    public async Task<Run.Result> RunAsync(IReadOnlyList<string> command)
    {
        if (_shell is null)
        {
            return await Run.TryAsync(command[0], command.Skip(1));
        }

        var code = await AskAsync(_shell, $"{Quoted(command)} >{_files}.out 2>{_files}.err </dev/null; echo $?");
        return new Run.Result(code, await File.ReadAllTextAsync(_files + ".out"), await File.ReadAllTextAsync(_files + ".err"));
    }

    /// <summary>Starts a program inside, and does not wait for it; gives its process id.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="errors">The file that gets what it writes to standard error.</param>
    public Task<int> StartAsync(IReadOnlyList<string> command, string errors) =>
        AskAsync(_shell ?? throw new InvalidOperationException("Needs root."), $"{Quoted(command)} >/dev/null 2>{errors} </dev/null & echo $!");

    /// <summary>Waits for a program that was started, and gives its exit code.</summary>
    public Task<int> WaitAsync(int process) => AskAsync(_shell!, string.Create(CultureInfo.InvariantCulture, $"wait {process}; echo $?"));

    public async ValueTask DisposeAsync()
    {
        if (_shell is not null)
        {
            _shell.StandardInput.Close();
            await _shell.WaitForExitAsync();
            _shell.Dispose();
        }
    }

    private static string Quoted(IReadOnlyList<string> command) =>
        string.Join(' ', command.Select(word => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'"));

    private static async Task<int> AskAsync(Process shell, string line)
    {
        await shell.StandardInput.WriteLineAsync(line);
        await shell.StandardInput.FlushAsync();
        try
        {
            var answer = await shell.StandardOutput.ReadLineAsync().WaitAsync(s_limit);
            return int.Parse(answer!, CultureInfo.InvariantCulture);
        }
        catch (TimeoutException)
        {
            shell.Kill(entireProcessTree: true);
            throw new CommandException($"'{line}' did not end within {s_limit}.");
        }
    }

    private static async Task<Boot> StartAsync(string prepare, Scratch scratch, Account account)
    {
        var files = scratch.New("shell");
        if (!Environment.IsPrivilegedProcess)
        {
            return new Boot(null, files, account);
        }

        var shell = Run.Start("unshare", ["--mount", "--propagation", "private", "sh", "-c", $"{prepare} && echo ready && exec sh 2>/dev/null"]);
        if (await shell.StandardOutput.ReadLineAsync() != "ready")
        {
            var why = await shell.StandardError.ReadToEndAsync();
            await shell.WaitForExitAsync();
            shell.Dispose();
            Assert.Skip($"mount namespaces do not work here: {why.Trim()}");
        }

        return new Boot(shell, files, account);
    }
}
