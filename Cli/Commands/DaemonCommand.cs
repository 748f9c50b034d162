using System.CommandLine;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Cli.Commands;

/// <summary><c>daemon</c>: another program, so that this one stays small and quick to start.</summary>
internal static class DaemonCommand
{
    private const string Program = "imagestored";

    public static Command Build()
    {
        var address = new Option<string>("--address") { Description = "The socket [default: imagestore.sock in the state directory]", HelpName = "SOCKET" };
        var state = new Option<string>("--state") { Description = "The directory of what ends with the machine: the socket, and bundles of containers", HelpName = "DIR" };
        var command = new Verb(
            "daemon",
            "Serve the root to containerd's clients, such as ctr and nerdctl, on a socket.",
            "imagestore daemon --address /run/imagestore/imagestore.sock",
            "ctr -a /run/imagestore/imagestore.sock images ls",
            "ctr -a /run/imagestore/imagestore.sock run --rm docker.io/library/alpine:latest one echo hello")
        {
            address, state,
        };
        Session.Bind(command, (session, _) =>
        {
            // A mistake in the configuration is told here, as with every verb.
            session.Settings();
            List<string> arguments = ["--root", Path.GetFullPath(session.Value(GlobalOptions.Root)!)];
            foreach (var (name, value) in (ReadOnlySpan<(string, string?)>)[
                ("--config", session.Value(GlobalOptions.Config)), ("--address", session.Value(address)), ("--state", session.Value(state))])
            {
                if (value is not null)
                {
                    arguments.AddRange([name, Path.GetFullPath(value)]);
                }
            }

            throw ProcessImage.Replace(Find(), arguments);
        });
        return command;
    }

    private static string Find()
    {
        var program = Path.Combine(Path.GetDirectoryName(Environment.ProcessPath) ?? string.Empty, Program);
        return File.Exists(program) ? program : throw new ImageStoreException(
            ErrorKind.NotFound, $"The daemon's program {program} is not there.", $"Install {Program} beside {Path.GetFileName(Environment.ProcessPath)}.");
    }
}
