using System.CommandLine;
using ImageStore.Snapshotters.Rootless;

namespace ImageStore.Cli.Commands;

/// <summary><c>unshare [--] [COMMAND…]</c>.</summary>
internal static class UnshareCommand
{
    private const string UsualShell = "/bin/sh";

    public static Command Build()
    {
        var words = new Argument<string[]>("COMMAND")
        {
            Description = "What is run, with its arguments; else $SHELL. After -- nothing of it is an option of ours", Arity = ArgumentArity.ZeroOrMore,
        };
        var command = new Verb(
            "unshare",
            "Run a command as root of namespaces of your own, where pull, unpack and mount need no other root. Its mounts end with it.",
            "imagestore unshare",
            "imagestore unshare -- imagestore pull alpine",
            "imagestore unshare -- sh -c 'imagestore mount alpine /tmp/mnt && ls -l /tmp/mnt'")
        {
            words,
        };
        Session.Bind(command, (session, _) =>
        {
            var given = session.Value(words);
            RootlessNamespace.Become(
                given.Length > 0 ? given : [Environment.GetEnvironmentVariable("SHELL") is { Length: > 0 } shell ? shell : UsualShell],

                // Inside the user is root, whose usual root directory is another one.
                new Dictionary<string, string> { [GlobalOptions.RootVariable] = Path.GetFullPath(session.Value(GlobalOptions.Root)!) },
                notice => Console.Error.WriteLine($"imagestore: {notice}"));
            return Task.CompletedTask;
        });
        return command;
    }
}
