using System.CommandLine;
using ImageStore.Runtime.Options;
using ImageStore.Runtime.Security;
using ImageStore.Runtime.Users;

namespace ImageStore.Cli.Commands;

/// <summary>The options that say how a container runs, under the names that docker, nerdctl and ctr have for them.</summary>
internal sealed class ContainerOptionsOnCommand
{
    private const string HostNetwork = "host";

    private readonly Option<string[]> _env = Many("A variable; NAME alone takes your own value of it", "NAME=VALUE", "--env", "-e");
    private readonly Option<string[]> _envFile = Many("A file of lines NAME=VALUE; --env counts more", "FILE", "--env-file");
    private readonly Option<string> _user = One("As whom it runs: USER[:GROUP], each a name of the image or a number", "USER", "--user", "-u");
    private readonly Option<string> _workdir = One("Where it begins", "DIR", "--workdir", "-w");
    private readonly Option<string> _entrypoint = One("The program, instead of the image's entrypoint and command", "PROGRAM", "--entrypoint");
    private readonly Option<string[]> _mounts = Many("type=bind,src=DIR,dst=DIR[,ro] or type=tmpfs,dst=DIR", "MOUNT", "--mount");
    private readonly Option<string[]> _volumes = Many("Mount a directory or file of the host", "SRC:DST[:ro]", "--volume", "-v");
    private readonly Option<string[]> _devices = Many("A device of the host, or a folder of them", "HOST[:DST[:rwm]]", "--device");
    private readonly Option<bool> _readOnly = new("--read-only") { Description = "Nothing can be written to the root filesystem" };
    private readonly Option<string> _memory = One("The most memory, such as 256M", "BYTES", "--memory", "-m");
    private readonly Option<string> _cpus = One("The most processor time, such as 1.5", "NUMBER", "--cpus");
    private readonly Option<string> _pids = One("The most processes; -1 for any number", "NUMBER", "--pids-limit");
    private readonly Option<string[]> _ulimits = Many("A limit of setrlimit(2), such as nofile=1024:4096", "NAME=SOFT[:HARD]", "--ulimit");
    private readonly Option<string> _oomScore = One("How early it is ended when memory is short, from -1000 to 1000", "SCORE", "--oom-score-adj");
    private readonly Option<string[]> _capAdd = Many("A capability besides the usual ones, or ALL", "NAME", "--cap-add");
    private readonly Option<string[]> _capDrop = Many("A capability that it is not to have, or ALL", "NAME", "--cap-drop");
    private readonly Option<bool> _privileged = new("--privileged") { Description = "All of your own capabilities, all devices, nothing hidden, no filter of system calls" };
    private readonly Option<string[]> _security = Many("seccomp=unconfined, seccomp=FILE or no-new-privileges=false", "WORD", "--security-opt");
    private readonly Option<string> _hostname = One("Its host's name; else the host's own", "NAME", "--hostname");
    private readonly Option<string[]> _labels = Many("An annotation of the configuration", "KEY=VALUE", "--label", "-l", "--annotation");
    private readonly Option<bool> _tty = new("--tty", "-t") { Description = "It gets a terminal" };
    private readonly Option<string> _net = MakeNet();
    private readonly Option<string> _cgroup = One("The control group; else the runtime calls it by the container", "PATH", "--cgroup");

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[
            _env, _envFile, _user, _workdir, _entrypoint, _mounts, _volumes, _devices, _readOnly, _memory, _cpus, _pids, _ulimits, _oomScore, _capAdd,
            _capDrop, _privileged, _security, _hostname, _labels, _tty, _net, _cgroup])
        {
            command.Options.Add(option);
        }
    }

    /// <exception cref="Store.Errors.ImageStoreException">One of them cannot be.</exception>
    public ContainerOptions Of(Session session, IReadOnlyList<string> command) => new()
    {
        Command = command,
        Entrypoint = session.Value(_entrypoint),
        Environment =
        [
            .. All(session, _envFile).SelectMany(EnvironmentText.ReadFile),
            .. All(session, _env).Select(text => EnvironmentText.Parse(text, Environment.GetEnvironmentVariable)),
        ],
        User = session.Value(_user) is { } user ? UserText.Parse(user) : null,
        WorkingDirectory = session.Value(_workdir),
        Mounts = [.. All(session, _mounts).Select(MountText.Parse), .. All(session, _volumes).Select(MountText.ParseVolume)],
        Devices = [.. All(session, _devices).Select(DeviceText.Parse)],
        ReadOnly = session.Value(_readOnly),
        MemoryBytes = session.Value(_memory) is { } memory ? ResourceText.Memory(memory) : null,
        Cpus = session.Value(_cpus) is { } cpus ? ResourceText.Cpus(cpus) : null,
        Pids = session.Value(_pids) is { } pids ? ResourceText.Pids(pids) : null,
        Ulimits = [.. All(session, _ulimits).Select(UlimitText.Parse)],
        OomScoreAdj = session.Value(_oomScore) is { } score ? ResourceText.OomScore(score) : null,
        AddedCapabilities = [.. All(session, _capAdd).Select(Capabilities.Parse)],
        DroppedCapabilities = [.. All(session, _capDrop).Select(Capabilities.Parse)],
        Privileged = session.Value(_privileged),
        Security = SecurityText.Parse(All(session, _security)),
        Hostname = session.Value(_hostname),
        Annotations = KeyValues.Parse(session.Value(_labels)),
        Terminal = session.Value(_tty),
        HostNetwork = session.Value(_net) == HostNetwork,
        Cgroup = session.Value(_cgroup),
    };

    private static string[] All(Session session, Option<string[]> option) => session.Value(option) ?? [];

    private static Option<string> One(string description, string value, string name, params string[] aliases) =>
        new(name, aliases) { Description = description, HelpName = value };

    private static Option<string[]> Many(string description, string value, string name, params string[] aliases) =>
        new(name, aliases) { Description = description, HelpName = value, Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };

    private static Option<string> MakeNet()
    {
        var option = new Option<string>("--net", "--network") { Description = "The host's network, or one of its own with loopback alone", HelpName = "host|none" };
        option.AcceptOnlyFromAmong(HostNetwork, "none");
        return option;
    }
}
