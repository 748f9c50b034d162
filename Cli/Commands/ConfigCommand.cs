using System.CommandLine;
using ImageStore.Engine.Configuration;

namespace ImageStore.Cli.Commands;

/// <summary><c>config default|check</c>.</summary>
internal static class ConfigCommand
{
    public static Command Build() => new("config", "Look at the configuration.") { Default(), Check() };

    private static Verb Default()
    {
        var command = new Verb(
            "default",
            "Write the configuration with every default and what it means.",
            "imagestore config default > /var/lib/imagestore/config.toml");
        Session.Bind(command, async (_, token) => await Console.Out.WriteAsync(SettingsFile.Template.AsMemory(), token).ConfigureAwait(false));
        return command;
    }

    private static Verb Check()
    {
        var file = new Argument<string>("FILE")
        {
            Description = "The file; else what --config names or the root has", Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Verb(
            "check",
            "Tell whether a configuration can be read, and where not, the line and the reason.",
            "imagestore config check",
            "imagestore config check ./config.toml")
        {
            file,
        };
        Session.Bind(command, (session, token) =>
        {
            _ = session.Optional(file) is { } path ? SettingsFile.Read(path) : session.Settings();
            Console.Out.WriteLine("the configuration is right");
            return Task.CompletedTask;
        });
        return command;
    }
}
