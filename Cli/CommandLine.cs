using System.CommandLine;
using System.CommandLine.Invocation;
using ImageStore.Cli.Commands;
using ImageStore.Cli.Output;
using ImageStore.Store.Errors;

namespace ImageStore.Cli;

/// <summary>From the arguments to the exit code.</summary>
internal static class CommandLine
{
    /// <summary>A file named by <c>@FILE</c> is not read for arguments: an image's name may begin so by mistake.</summary>
    public static ParserConfiguration Parsing { get; } = new() { ResponseFileTokenReplacer = null };

    /// <summary>Signals are ours, and so is what becomes of exceptions.</summary>
    public static InvocationConfiguration Invocation => new()
    {
        EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null,
    };

    public static async Task<int> RunAsync(string[] arguments, StopSignals signals)
    {
        var parsed = CommandTree.Build().Parse(arguments, Parsing);
        if (parsed.Action is ParseErrorAction)
        {
            return Failures.TellUsage(parsed);
        }

        try
        {
            var code = await parsed.InvokeAsync(Invocation, signals.Token).ConfigureAwait(false);
            Console.Out.Flush();
            return code;
        }
        catch (IOException failure) when (StandardOutput.IsClosed(failure))
        {
            // Whoever reads has seen enough, as with head.
            return ExitCode.Ok;
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            return signals.Tell();
        }
        catch (Exception failure)
        {
            return Failures.Tell(failure, parsed.GetValue(GlobalOptions.Debug));
        }
    }
}
