using System.CommandLine;
using ImageStore.Store.Errors;

namespace ImageStore.Cli;

/// <summary>What a failure looks like: what and why in one line, what to do in the next, and an exit code.</summary>
internal static class Failures
{
    public static int Tell(Exception failure, bool debug)
    {
        var known = failure switch
        {
            ImageStoreException ours => ours,
            IOException or UnauthorizedAccessException => IoErrors.From(failure, "The command"),
            _ => new ImageStoreException(
                ErrorKind.Internal,
                $"unexpected: {failure.GetType().Name}: {Printable.Of(failure.Message)}",
                "This is a defect of ours. Please report it with what the same command prints with --debug or IMAGESTORE_DEBUG=1.",
                failure),
        };
        Write(known.Message, known.Remedy);
        if (debug)
        {
            Console.Error.WriteLine(failure);
        }

        return ExitCode.Of(known.Kind);
    }

    public static int TellUsage(ParseResult parsed)
    {
        var path = string.Join(' ', Verb.PathOf(parsed.CommandResult.Command));
        var reason = string.Join(' ', parsed.Errors[0].Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Write($"wrong usage: {Printable.Of(reason)}", $"'{path} --help' shows what it takes, with examples.");
        return ExitCode.Usage;
    }

    private static void Write(string message, string? remedy)
    {
        Console.Error.WriteLine($"imagestore: {message}");
        if (remedy is not null)
        {
            Console.Error.WriteLine($"  {remedy}");
        }
    }
}
