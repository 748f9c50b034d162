using System.CommandLine;
using ImageStore.Engine;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli;

/// <summary>One run of a verb: its options, its engine and its output; turns failures into messages and exit codes.</summary>
internal sealed class Session(ParseResult parsed)
{
    private const int BrokenPipe = 32;

    public bool Json => parsed.GetValue(GlobalOptions.Format) == "json";

    public bool Quiet => parsed.GetValue(GlobalOptions.Quiet);

    public T? Value<T>(Option<T> option) => parsed.GetValue(option);

    public T Value<T>(Argument<T> argument) => parsed.GetRequiredValue(argument);

    /// <summary>Has <paramref name="command"/> run <paramref name="body"/> with an open root.</summary>
    public static void Bind(
        Command command, MetadataAccess access, Func<Session, StoreEngine, CancellationToken, Task> body) =>
        command.SetAction((parsed, token) => new Session(parsed).RunAsync(access, body, token));

    private async Task<int> RunAsync(
        MetadataAccess access, Func<Session, StoreEngine, CancellationToken, Task> body, CancellationToken cancellationToken)
    {
        try
        {
            var options = new EngineOptions
            {
                Root = parsed.GetRequiredValue(GlobalOptions.Root),
                Namespace = parsed.GetRequiredValue(GlobalOptions.Namespace),
                Access = access,
                OnWait = holder => Console.Error.WriteLine($"imagestore: waiting for {holder}, which has the root"),
            };
            var engine = await StoreEngine.OpenAsync(options, cancellationToken).ConfigureAwait(false);
            await using var closing = engine.ConfigureAwait(false);
            await body(this, engine, cancellationToken).ConfigureAwait(false);
            await Console.Out.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            return ExitCode.Ok;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Console.Error.WriteLine("imagestore: interrupted; what was verified is kept, repeat the command to go on");
            return ExitCode.Interrupted;
        }
        catch (IOException failure) when (failure.HResult == BrokenPipe)
        {
            // Whoever reads has seen enough, as with head.
            return ExitCode.Ok;
        }
        catch (ImageStoreException failure)
        {
            return Tell(failure, ExitCode.Of(failure.Kind));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            var known = IoErrors.From(failure, "The command");
            return Tell(known, ExitCode.Of(known.Kind));
        }
    }

    private int Tell(ImageStoreException failure, int code)
    {
        Console.Error.WriteLine($"imagestore: {failure.Message}");
        if (failure.Remedy is { } remedy)
        {
            Console.Error.WriteLine($"  {remedy}");
        }

        if (parsed.GetValue(GlobalOptions.Debug))
        {
            Console.Error.WriteLine(failure);
        }

        return code;
    }
}
