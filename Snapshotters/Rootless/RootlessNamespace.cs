using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Rootless;

/// <summary>Runs a command where a user without privileges is root of an own set of ids and of own mounts.</summary>
/// <remarks>
/// <para>
/// unshare(2) makes no user namespace for a process with threads, and this runtime has some from its start on. So a
/// process that only sleeps is made in a new one, its maps are written by newuidmap and newgidmap, and this process becomes
/// util-linux's nsenter and unshare, which have no threads, and those the command. Nothing of ours stays between the command and
/// who started it: its process id, exit code, signals and terminal are its own.
/// </para>
/// <para>
/// util-linux alone would do from 2.38 on (<c>--map-auto</c>, whose neighbours changed their words in 2.39); nsenter <c>--user</c> and
/// unshare <c>--mount --propagation</c> mean the same since 2.26.
/// </para>
/// </remarks>
public static class RootlessNamespace
{
    private const int SetupSeconds = 60;
    private const string Users = "/etc/subuid";
    private const string Groups = "/etc/subgid";
    private static readonly string[] s_private = ["--mount", "--propagation", "private"];

    /// <summary>Becomes the command; returns only by an exception.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="environment">Variables that it gets besides those of this process.</param>
    /// <param name="tell">Is told when the command will have the own id alone, and why.</param>
    /// <exception cref="ImageStoreException">The machine does not allow it, or a program that it takes is missing.</exception>
    public static void Become(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, Action<string> tell)
    {
        ArgumentNullException.ThrowIfNull(command);
        ArgumentNullException.ThrowIfNull(environment);
        ArgumentNullException.ThrowIfNull(tell);
        var enter = Program("nsenter") ?? throw Missing("nsenter");
        var unshare = Program("unshare") ?? throw Missing("unshare");
        using var owners = Make(tell);

        // Without the flag that closes it on exec, since nsenter opens it by its number. The command has it as well; it stands for where that is anyway.
        using var kept = NamespaceSyscalls.Inherited(owners);
        // The user is root there already, by the map; nsenter's own way to become it needs groups that may not be given up.
        string[] entering =
        [
            string.Create(CultureInfo.InvariantCulture, $"--user=/proc/{Environment.ProcessId}/fd/{kept.DangerousGetHandle()}"), "--preserve-credentials",
        ];
        Try(enter, [.. entering, "--", unshare, .. s_private, "--", unshare, "--version"]);
        foreach (var (name, value) in environment)
        {
            Environment.SetEnvironmentVariable(name, value);
        }

        var errno = NamespaceSyscalls.Become(enter, [enter, .. entering, "--", unshare, .. s_private, "--", .. command], Variables());
        throw Errno.ToException(errno, $"{enter} cannot be run");
    }

    private static SafeFileHandle Make(Action<string> tell)
    {
        try
        {
            return UserNamespace.Open(process => Map(process, tell), SetupSeconds);
        }
        catch (ImageStoreException refused) when (refused.Kind == ErrorKind.FailedPrecondition)
        {
            throw UserNamespaceLimits.Explain(refused.Message.TrimEnd('.'));
        }
    }

    private static void Map(int process, Action<string> tell)
    {
        var (user, group) = (NamespaceSyscalls.EffectiveUser(), NamespaceSyscalls.EffectiveGroup());
        var (users, groups) = (SubordinateIds.Read(Users, Environment.UserName, user, user), SubordinateIds.Read(Groups, Environment.UserName, user, group));
        var (mapUsers, mapGroups) = (Program("newuidmap"), Program("newgidmap"));
        var lacking = mapUsers is null || mapGroups is null ? "newuidmap and newgidmap are not installed (package uidmap)"
            : users is null ? $"{Users} has no line for {Printable.Of(Environment.UserName)}"
            : groups is null ? $"{Groups} has no line for {Printable.Of(Environment.UserName)}"
            : null;
        if (lacking is null)
        {
            Run(mapUsers!, Words(process, users!));
            Run(mapGroups!, Words(process, groups!));
            return;
        }

        tell($"only your own id is there, as root, and files of other owners cannot be unpacked: {lacking}");
        var place = string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/");
        File.WriteAllText(place + "uid_map", new IdMapRange(0, user, 1).ToLine());

        // Otherwise a user could leave a group that is denied something.
        File.WriteAllText(place + "setgroups", "deny");
        File.WriteAllText(place + "gid_map", new IdMapRange(0, group, 1).ToLine());
    }

    private static IEnumerable<string> Words(int process, IdMap map) =>
        map.Ranges.SelectMany(range => range.ToString().Split(':')).Prepend(process.ToString(CultureInfo.InvariantCulture));

    private static void Run(string program, IEnumerable<string> arguments)
    {
        if (Said(program, arguments) is { } complaint)
        {
            throw new ImageStoreException(
                ErrorKind.PermissionDenied, $"{Path.GetFileName(program)} gives no ids: {complaint}.", $"Look at {Users} and {Groups}, and whether {program} has its capability or is setuid.");
        }
    }

    private static void Try(string program, IEnumerable<string> arguments)
    {
        if (Said(program, arguments) is { } complaint)
        {
            throw UserNamespaceLimits.Explain(complaint);
        }
    }

    // Null when it went well.
    private static string? Said(string program, IEnumerable<string> arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var said = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : Printable.Of(said.Trim()).TrimEnd('.');
        }
        catch (Win32Exception failure)
        {
            return Printable.Of(failure.Message).TrimEnd('.');
        }
    }

    private static string? Program(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Concat(["/usr/bin", "/bin", "/usr/sbin", "/sbin"]).Where(Path.IsPathRooted).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static List<string> Variables()
    {
        List<string> all = [];
        foreach (System.Collections.DictionaryEntry one in Environment.GetEnvironmentVariables())
        {
            all.Add($"{one.Key}={one.Value}");
        }

        return all;
    }

    private static ImageStoreException Missing(string program) =>
        new(ErrorKind.Unsupported, $"The program {program} is not installed.", "Install util-linux.");
}
