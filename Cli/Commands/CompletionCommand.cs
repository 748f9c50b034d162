using System.CommandLine;
using ImageStore.Cli.Completion;

namespace ImageStore.Cli.Commands;

/// <summary><c>completion bash|zsh|fish</c>.</summary>
internal static class CompletionCommand
{
    public static Command Build()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Verb(
            "completion",
            "Print a script that completes commands, options, images and digests in a shell.",
            "source <(imagestore completion bash)",
            "imagestore completion bash > /etc/bash_completion.d/imagestore",
            "source <(imagestore completion zsh)",
            "imagestore completion fish > ~/.config/fish/completions/imagestore.fish")
        {
            shell,
        };
        Session.Bind(command, (session, _) =>
        {
            Console.Out.WriteLine(session.Value(shell) switch
            {
                "bash" => CompletionScripts.Bash,
                "zsh" => CompletionScripts.Zsh,
                _ => CompletionScripts.Fish,
            });
            return Task.CompletedTask;
        });
        return command;
    }
}
