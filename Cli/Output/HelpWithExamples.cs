using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Output;

/// <summary>The usual help, then a command's examples; for the whole program the exit codes.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var code = usual.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        switch (parseResult.CommandResult.Command)
        {
            case Verb { Examples.Count: > 0 } verb:
                Section(output, "Examples:", verb.Examples);
                break;
            case RootCommand:
                Section(output, "Exit codes:", ExitCode.Meanings);
                output.WriteLine("Each command's own --help has examples. To begin: imagestore demo");
                break;
        }

        return code;
    }

    private static void Section(TextWriter output, string title, IEnumerable<string> lines)
    {
        output.WriteLine(title);
        foreach (var line in lines)
        {
            output.WriteLine($"  {line}");
        }

        output.WriteLine();
    }
}
