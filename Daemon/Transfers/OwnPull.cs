using ImageStore.Distribution.Registry;
using ImageStore.Engine.Pull;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using Wanted = ImageStore.Engine.Pull.PullRequest;

namespace ImageStore.Daemon.Transfers;

/// <summary>A pull that our own command asks for, with all that it can say.</summary>
internal static class OwnPull
{
    /// <summary>Pulls, and tells the client how far it is and what came of it.</summary>
    public static async Task RunAsync(
        TransferContext call, Protocol.StoreV1.PullRequest request, PullConversation conversation, CancellationToken cancellationToken)
    {
        var wanted = Of(request);
        var name = ImageReference.Parse(wanted.Reference).Canonical;
        var isNew = !call.Has(name);
        var registry = call.Store.Registry with
        {
            // As whom a registry is spoken to is the caller's: what root may log in to is nobody else's.
            Credentials = conversation.AskAsync,
            UsesConfiguredCredentials = call.IsRoots,
            HostsDirectories = request.HostsDirectories.Count > 0
                ? [.. TransferContext.Checked(request.HostsDirectories).Select(call.Directory)]
                : call.Store.Registry.HostsDirectories,
            MaxBytesPerSecond = request.BytesPerSecond > 0 ? request.BytesPerSecond : call.Store.Registry.MaxBytesPerSecond,
        };
        var result = await conversation.WhileAsync(
            progress => call.Transfers.PullAsync(wanted, registry, progress, cancellationToken), call.Store.Time, cancellationToken).ConfigureAwait(false);
        call.Publish(call.Transfers.Find(result.Name), isNew);
        await conversation.TellAsync(result, cancellationToken).ConfigureAwait(false);
    }

    private static Wanted Of(Protocol.StoreV1.PullRequest request) => new()
    {
        Reference = request.Reference,
        Platform = request.Platform.Length > 0 ? Platform.Parse(request.Platform) : null,
        AllPlatforms = request.AllPlatforms,
        Snapshotter = request.Snapshotter.Length > 0 ? request.Snapshotter : null,
        Unpack = request.Unpack,
        Sync = request.Sync,
        Policy = request.Policy switch
        {
            nameof(PullPolicy.Always) => PullPolicy.Always,
            nameof(PullPolicy.Missing) => PullPolicy.Missing,
            nameof(PullPolicy.Never) => PullPolicy.Never,
            var other => throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"'{Printable.Of(other)}' is no policy.", "There are Always, Missing and Never."),
        },
        Pin = request.Pin,
        PlainHttp = request.PlainHttp,
    };
}
