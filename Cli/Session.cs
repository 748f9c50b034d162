using System.CommandLine;
using ImageStore.Cli.Root;
using ImageStore.Engine;
using ImageStore.Engine.Configuration;
using ImageStore.Engine.Serving;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli;

/// <summary>One run of a verb: its options, and its engine where it needs one.</summary>
internal sealed class Session(ParseResult parsed)
{
    public bool Json => parsed.GetValue(GlobalOptions.Format) == "json";

    public bool Quiet => parsed.GetValue(GlobalOptions.Quiet);

    /// <summary>The root directory, absolute.</summary>
    public string Root => Path.GetFullPath(parsed.GetRequiredValue(GlobalOptions.Root));

    public T? Value<T>(Option<T> option) => parsed.GetValue(option);

    public T Value<T>(Argument<T> argument) => parsed.GetRequiredValue(argument);

    public T? Optional<T>(Argument<T> argument) => parsed.GetValue(argument);

    /// <summary>Has <paramref name="command"/> run <paramref name="body"/> with an open root.</summary>
    public static void Bind(
        Command command, MetadataAccess access, Func<Session, StoreEngine, CancellationToken, Task> body) =>
        Bind(command, (session, token) => session.WithEngineAsync(access, body, token));

    /// <summary>Has <paramref name="command"/> run <paramref name="body"/> with an open root on what is there already: a slip in the namespace's name makes none.</summary>
    public static void BindToExisting(
        Command command, MetadataAccess access, Func<Session, StoreEngine, CancellationToken, Task> body) =>
        Bind(command, (session, token) => session.WithEngineAsync(access, body, token, makeNamespace: false));

    /// <summary>Has <paramref name="command"/> run <paramref name="body"/>, which changes a root, in this process or through the daemon that serves it.</summary>
    /// <param name="command">The verb.</param>
    /// <param name="body">What it does.</param>
    /// <param name="makeNamespace">Make the namespace where it is not there?</param>
    public static void BindToChanges(Command command, Func<Session, IRootChanges, CancellationToken, Task> body, bool makeNamespace = false) =>
        Bind(command, (session, token) => WithChangesAsync(
            session.EngineOptions() with { MakeNamespace = makeNamespace }, changes => body(session, changes, token), token));

    /// <summary>Has <paramref name="command"/> run <paramref name="body"/>.</summary>
    public static void Bind(Command command, Func<Session, CancellationToken, Task> body) =>
        command.SetAction(async (parsed, token) =>
        {
            try
            {
                await body(new Session(parsed), token).ConfigureAwait(false);
                return ExitCode.Ok;
            }
            finally
            {
                // What was done is told, also when the rest of it failed.
                Console.Out.Flush();
            }
        });

    /// <summary>How the root of this run is opened.</summary>
    public EngineOptions EngineOptions() => new()
    {
        Root = parsed.GetRequiredValue(GlobalOptions.Root),
        Namespace = parsed.GetRequiredValue(GlobalOptions.Namespace),
        Settings = Settings(),
        Registry = RegistryClients.Options(this, plainHttp: false),
        OnWait = holder =>
        {
            ServedRoot.RefuseCommand(parsed.GetRequiredValue(GlobalOptions.Root), holder);
            Console.Error.WriteLine($"imagestore: waiting for {holder}, which has the root");
        },
    };

    /// <summary>What the configuration of this run says.</summary>
    public Settings Settings() => SettingsFile.Load(parsed.GetValue(GlobalOptions.Config), parsed.GetRequiredValue(GlobalOptions.Root));

    /// <summary>Runs <paramref name="body"/> with an open root.</summary>
    public async Task WithEngineAsync(
        MetadataAccess access, Func<Session, StoreEngine, CancellationToken, Task> body, CancellationToken cancellationToken, bool makeNamespace = true) =>
        await WithEngineAsync(EngineOptions() with { Access = access, MakeNamespace = makeNamespace }, body, cancellationToken).ConfigureAwait(false);

    /// <summary>Runs <paramref name="body"/>, which removes images; unless <paramref name="sync"/>, the files of large ones go after its end.</summary>
    public async Task RemovingAsync(
        bool sync, Func<IRootChanges, CancellationToken, Task> body, CancellationToken cancellationToken)
    {
        var options = EngineOptions() with { MakeNamespace = false, RemovalBudget = Removal.Budget(sync) };
        await WithChangesAsync(options, changes => body(changes, cancellationToken), cancellationToken).ConfigureAwait(false);
        Removal.GoOn(this, options.Root, options.RemovalBudget, cancellationToken);
    }

    private static async Task WithChangesAsync(EngineOptions options, Func<IRootChanges, Task> body, CancellationToken cancellationToken)
    {
        var changes = await RootChanges.OpenAsync(options, cancellationToken).ConfigureAwait(false);
        await using var closing = changes.ConfigureAwait(false);
        await body(changes).ConfigureAwait(false);
    }

    private async Task WithEngineAsync(
        EngineOptions options, Func<Session, StoreEngine, CancellationToken, Task> body, CancellationToken cancellationToken)
    {
        var engine = await StoreEngine.OpenAsync(options, cancellationToken).ConfigureAwait(false);
        await using var closing = engine.ConfigureAwait(false);
        await body(this, engine, cancellationToken).ConfigureAwait(false);
    }
}
