using ImageStore.Runtime.Protocol.Runc;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Processes;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Oci;

/// <summary>Drives <c>runc</c>, or what takes the same arguments.</summary>
/// <remarks>Its errors are its own words: the last error in its log, else what it printed.</remarks>
internal sealed class OciRuntime
{
    private const string DefaultProgram = "runc";
    private const string DefaultRoot = "/run/containerd/runc";

    private readonly CommandRunner _commands;
    private readonly string _program;
    private readonly BundleFiles _files;
    private readonly CommandMark _mark;
    private readonly List<string> _global;

    /// <summary>The runtime that the options name.</summary>
    /// <param name="commands">Runs it.</param>
    /// <param name="options">Its name, its root, and who makes its cgroups.</param>
    /// <param name="tenant">containerd's namespace, which has a folder of its own in the root.</param>
    /// <param name="files">The bundle, which has what it and the shim tell each other.</param>
    public OciRuntime(CommandRunner commands, Options options, string tenant, BundleFiles files)
    {
        (_commands, _files, _mark) = (commands, files, new CommandMark(files.Path));
        _program = ProgramOf(options);
        _global = ["--root", Path.Combine(options.Root.Length > 0 ? options.Root : DefaultRoot, tenant), "--log-format", "json"];
        if (options.SystemdCgroup)
        {
            _global.Add("--systemd-cgroup");
        }
    }

    /// <summary>The program that the options name.</summary>
    public static string ProgramOf(Options options) => options.BinaryName.Length > 0 ? options.BinaryName : DefaultProgram;

    /// <summary>Makes a container, whose first process waits for <see cref="StartAsync"/>.</summary>
    public Task CreateAsync(
        string id, string bundle, string pidFile, Options options, string? consoleSocket, IReadOnlyList<SafeFileHandle>? stdio, CancellationToken cancellation)
    {
        List<string> arguments = ["create", "--bundle", bundle, "--pid-file", pidFile];
        AddConsole(arguments, consoleSocket);
        AddIf(arguments, options.NoPivotRoot, "--no-pivot");
        AddIf(arguments, options.NoNewKeyring, "--no-new-keyring");
        return RunAsync("create the container", [.. arguments, id], stdio, cancellation);
    }

    /// <summary>Has the first process begin.</summary>
    public Task StartAsync(string id, CancellationToken cancellation) => RunAsync("start the container", ["start", id], null, cancellation);

    /// <summary>Makes a container of a checkpoint, and begins it.</summary>
    public Task RestoreAsync(
        string id, string bundle, string pidFile, Options options, Checkpoint checkpoint, string? consoleSocket,
        IReadOnlyList<SafeFileHandle>? stdio, CancellationToken cancellation)
    {
        List<string> arguments = ["restore", .. checkpoint.Arguments(), "--detach", "--pid-file", pidFile];
        AddConsole(arguments, consoleSocket);
        AddIf(arguments, options.NoPivotRoot, "--no-pivot");
        return RunAsync("restore the container", [.. arguments, "--no-subreaper", "--bundle", bundle, id], stdio, cancellation);
    }

    /// <summary>Begins a further process of a container.</summary>
    /// <param name="id">The container.</param>
    /// <param name="process">A file with the OCI process.</param>
    /// <param name="pidFile">Where its id is written to.</param>
    /// <param name="consoleSocket">Where its terminal is sent to, or null.</param>
    /// <param name="stdio">Its descriptors, or null with a terminal.</param>
    /// <param name="cancellation">Kills the runtime.</param>
    public Task ExecAsync(
        string id, string process, string pidFile, string? consoleSocket, IReadOnlyList<SafeFileHandle>? stdio, CancellationToken cancellation)
    {
        List<string> arguments = ["exec", "--process", process];
        AddConsole(arguments, consoleSocket);
        return RunAsync("run the process", [.. arguments, "--detach", "--pid-file", pidFile, id], stdio, cancellation);
    }

    /// <summary>Sends a signal to the first process, or to all.</summary>
    public async Task KillAsync(string id, uint signal, bool all, CancellationToken cancellation)
    {
        List<string> arguments = ["kill"];
        AddIf(arguments, all, "--all");
        var number = signal.ToString(System.Globalization.CultureInfo.InvariantCulture);
        try
        {
            await RunAsync("send the signal", [.. arguments, id, number], null, cancellation).ConfigureAwait(false);
        }
        catch (RpcException refused) when (IsGone(refused.Message))
        {
            throw new RpcException(RpcCode.NotFound, "The process has ended already.", refused);
        }
    }

    /// <summary>Stops every process of a container where it is.</summary>
    public Task PauseAsync(string id, CancellationToken cancellation) => RunAsync("pause the container", ["pause", id], null, cancellation);

    /// <summary>Has them go on.</summary>
    public Task ResumeAsync(string id, CancellationToken cancellation) => RunAsync("resume the container", ["resume", id], null, cancellation);

    /// <summary>Changes a container's limits.</summary>
    /// <param name="id">The container.</param>
    /// <param name="resources">A file with OCI Linux resources.</param>
    /// <param name="cancellation">Kills the runtime.</param>
    public Task UpdateAsync(string id, string resources, CancellationToken cancellation) =>
        RunAsync("update the container", ["update", "--resources", resources, id], null, cancellation);

    /// <summary>Writes a checkpoint of a container.</summary>
    public Task CheckpointAsync(string id, Checkpoint checkpoint, CancellationToken cancellation) =>
        RunAsync("checkpoint the container", ["checkpoint", .. checkpoint.Arguments(), id], null, cancellation);

    /// <summary>Removes what the runtime keeps of a container; one that is gone already is no error.</summary>
    public async Task DeleteAsync(string id, bool force, CancellationToken cancellation)
    {
        List<string> arguments = ["delete"];
        AddIf(arguments, force, "--force");
        try
        {
            await RunAsync("delete the container", [.. arguments, id], null, cancellation).ConfigureAwait(false);
        }
        catch (RpcException refused) when (refused.Message.Contains("does not exist", StringComparison.Ordinal))
        {
            // A checkpoint, for one, takes the container along.
        }
    }

    /// <summary>The ids of a container's processes, as the machine knows them.</summary>
    public async Task<List<uint>> PidsAsync(string id, CancellationToken cancellation) =>
        PidList.Parse(await RunAsync("list the processes", ["ps", "--format", "json", id], null, cancellation).ConfigureAwait(false));

    private static bool IsGone(string message) => ((string[])["already finished", "not running", "no such process", "does not exist"])
        .Any(text => message.Contains(text, StringComparison.OrdinalIgnoreCase));

    private static void AddIf(List<string> arguments, bool isAsked, string argument)
    {
        if (isAsked)
        {
            arguments.Add(argument);
        }
    }

    private static void AddConsole(List<string> arguments, string? socket)
    {
        if (socket is not null)
        {
            arguments.AddRange(["--console-socket", socket]);
        }
    }

    private async Task<string> RunAsync(string action, IReadOnlyList<string> arguments, IReadOnlyList<SafeFileHandle>? stdio, CancellationToken cancellation)
    {
        // One for each run: several run at a time, and whose error it is has to be known.
        using var log = _files.Scratch();
        var command = new Command(_program, [.. _global, "--log", log.Path, .. arguments]) { Descriptors = stdio, Environment = [_mark.Word] };
        CommandResult result;
        try
        {
            result = await _commands.RunAsync(command, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException late)
        {
            throw new RpcException(RpcCode.DeadlineExceeded, $"The OCI runtime {_program} did not {action} in time, and was killed.", late);
        }

        if (result.Code == 0)
        {
            return result.Output;
        }

        var reason = RuntimeLog.LastError(log.Path) ?? (result.Output.Length > 0 ? result.Output : $"it ended with {result.Code}");
        throw new RpcException(RpcCode.Unknown, $"The OCI runtime {_program} cannot {action}: {reason}");
    }
}
