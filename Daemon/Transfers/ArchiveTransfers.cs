using System.Diagnostics.CodeAnalysis;
using ImageStore.Daemon.Protocol.Transfers;
using ImageStore.Daemon.Streaming;
using ImageStore.Engine.Serving;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using Stored = ImageStore.Daemon.Protocol.Transfers.ImageStore;

namespace ImageStore.Daemon.Transfers;

/// <summary>Images out of archives that clients send, and into archives that they get.</summary>
internal static class ArchiveTransfers
{
    private const string Archive = "archive";

    /// <summary>Imports.</summary>
    public static async Task ImportAsync(TransferContext call, ImageImportStream from, Stored to, CancellationToken cancellationToken)
    {
        if (to.Name.Length > 0)
        {
            throw new ImageStoreException(
                ErrorKind.Unsupported, "An archive's own index cannot be given a name.", "Import without one: each image keeps its own, or gets one by its digest.");
        }

        var image = TransferContext.Destination(to);
        var source = call.Take(from.Stream);
        await EndingAsync(source, () => ReceiveAsync(call, source, image, to, cancellationToken)).ConfigureAwait(false);
    }

    private static async Task ReceiveAsync(TransferContext call, ClientStream source, ImageDestination image, Stored to, CancellationToken cancellationToken)
    {
        var report = call.Report(Archive, "downloading");
        await report.WhileAsync(
            "Importing",
            async progress =>
            {
                var stream = new ReceivedBytes(source);
                await using var closing = stream.ConfigureAwait(false);
                HashSet<string> known = new(StringComparer.Ordinal);
                var brought = await call.Transfers.ImportAsync(
                    stream,
                    one =>
                    {
                        var names = StoredNames.Of(one, to.ExtraReferences).ToList();
                        known.UnionWith(names.Where(call.Has));
                        return names;
                    },
                    image,
                    progress,
                    cancellationToken).ConfigureAwait(false);
                foreach (var one in brought)
                {
                    call.Publish(call.Transfers.Find(one.Name!), isNew: !known.Contains(one.Name!));
                    report.Saved(one.Name!, one.Target);
                }

                return brought.Count > 0 ? brought : throw new ImageStoreException(
                    ErrorKind.NotFound, "No image of the archive has a name that may be used.", "Give images a base name, or names by their digests.");
            },
            "Completed import",
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Exports.</summary>
    public static async Task ExportAsync(TransferContext call, Stored from, ImageExportStream to, CancellationToken cancellationToken)
    {
        if (from.ExtraReferences.Any(reference => reference.IsPrefix))
        {
            throw new ImageStoreException(ErrorKind.Unsupported, "Images are not exported by the beginning of their names.", "Name each of them.");
        }

        List<string> names = [.. from.Name.Length > 0 ? (string[])[from.Name] : [], .. from.ExtraReferences.Select(reference => reference.Name)];
        if (names.Count == 0)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, "The request does not say which images are to be exported.");
        }

        var platforms = TransferContext.Platforms(to.Platforms);
        var target = call.Take(to.Stream);
        await EndingAsync(target, () => call.Report(Archive, "uploading").WhileAsync(
            "Exporting",
            async progress =>
            {
                var stream = new SentBytes(target);
                await using var closing = stream.ConfigureAwait(false);
                await call.Transfers.ExportAsync(
                    stream, names, to.AllPlatforms ? [] : platforms.Count > 0 ? platforms : [Platform.Current], progress, cancellationToken).ConfigureAwait(false);
                return names;
            },
            "Completed export",
            cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>Has the client hear on the stream, too, when not all of it came or went.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever it is, the call itself ends with it.")]
    private static async Task EndingAsync(ClientStream stream, Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
            stream.End();
        }
        catch (Exception failure)
        {
            stream.Fail(failure);
            throw;
        }
    }
}
