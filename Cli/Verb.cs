using System.CommandLine;

namespace ImageStore.Cli;

/// <summary>A command with examples, which its own help shows and its parent's does not.</summary>
internal sealed class Verb(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>The words that lead to <paramref name="command"/>.</summary>
    public static IEnumerable<string> PathOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent
            ? PathOf(parent).Append(command.Name)
            : ["imagestore"];
}
