using ImageStore.Daemon.Protocol.Transfers;
using ImageStore.Distribution.Registry;
using Reference = ImageStore.Distribution.Registry.ImageReference;
using Stored = ImageStore.Daemon.Protocol.Transfers.ImageStore;

namespace ImageStore.Daemon.Transfers;

/// <summary>Images from registries, and to them.</summary>
internal static class RegistryTransfers
{
    private const string Http = "http";

    /// <summary>Pulls.</summary>
    public static async Task PullAsync(TransferContext call, OCIRegistry from, Stored to, CancellationToken cancellationToken)
    {
        var image = TransferContext.Destination(to) with { Name = to.Name.Length > 0 ? to.Name : from.Reference };
        using var credentials = Credentials(call, from);
        var registry = Options(call, from.Resolver, credentials);
        var report = call.Report(image.Name, "downloading");
        await report.WhileAsync(
            $"Pulling from {from.Reference}",
            async progress =>
            {
                var isNew = !call.Has(image.Name);
                var pulled = await call.Transfers.PullAsync(from.Reference, image, registry, progress, cancellationToken).ConfigureAwait(false);
                call.Publish(pulled, isNew);
                await call.NameMoreAsync(to, pulled.Target, cancellationToken).ConfigureAwait(false);
                report.Saved(pulled.Name, pulled.Target);
                return pulled;
            },
            $"Completed pull from {from.Reference}",
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Pushes.</summary>
    public static async Task PushAsync(TransferContext call, Stored from, OCIRegistry to, CancellationToken cancellationToken)
    {
        var reference = Reference.Parse(to.Reference);
        using var credentials = Credentials(call, to);
        var registry = Options(call, to.Resolver, credentials);
        await call.Report(from.Name, "uploading").WhileAsync(
            $"Pushing to {to.Reference}",
            progress => call.Transfers.PushAsync(
                from.Name, reference, TransferContext.Platforms(from.Platforms), registry, progress, cancellationToken),
            $"Completed push to {to.Reference}",
            cancellationToken).ConfigureAwait(false);
    }

    private static AskedCredentials? Credentials(TransferContext call, OCIRegistry registry) =>
        registry.Resolver is { AuthStream: { Length: > 0 } stream } ? new AskedCredentials(call.Take(stream), registry.Reference) : null;

    // What the daemon's own user can log in to is nobody else's: whoever gives no credentials is anonymous. What root has
    // written in hosts.toml is root's, too.
    private static RegistryOptions Options(TransferContext call, RegistryResolver? resolver, AskedCredentials? credentials) => call.Store.Registry with
    {
        Credentials = credentials is null ? static (_, _, _) => Task.FromResult<RegistryCredential?>(null) : credentials.FindAsync,
        UsesConfiguredCredentials = call.IsRoots,
        Headers = [.. TransferContext.Checked(resolver?.Headers ?? []).Select(header => (header.Key, header.Value))],
        HostsDirectories = resolver is { HostDir: { Length: > 0 } directory } ? [call.Directory(directory)] : call.Store.Registry.HostsDirectories,
        PlainHttp = resolver?.DefaultScheme == Http,
    };
}
