using ImageStore.Engine;
using ImageStore.Engine.Serving;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Root;

/// <summary>Opens a root for changes: itself, or where a daemon has it, the connection to that.</summary>
internal static class RootChanges
{
    public static async Task<IRootChanges> OpenAsync(EngineOptions options, CancellationToken cancellationToken)
    {
        string? daemon = null;
        try
        {
            return new EmbeddedChanges(await StoreEngine.OpenAsync(options with { OnWait = Look }, cancellationToken).ConfigureAwait(false));
        }
        catch (ImageStoreException) when (daemon is not null)
        {
            return new ServedChanges(new DaemonConnection(daemon, options.Namespace), options);
        }

        void Look(string holder)
        {
            daemon = ServedRoot.AddressOf(holder);
            options.OnWait?.Invoke(holder);
        }
    }
}
