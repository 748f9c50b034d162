using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Authorization;
using ImageStore.Daemon.Events;
using ImageStore.Daemon.Protocol.Transfers;
using ImageStore.Daemon.Streaming;
using ImageStore.Daemon.Transfers;
using ImageStore.Engine.Serving;
using ImageStore.Store.Errors;
using Stored = ImageStore.Daemon.Protocol.Transfers.ImageStore;
using V1 = ImageStore.Daemon.Protocol.TransferV1;

namespace ImageStore.Daemon.Api;

/// <summary><c>containerd.services.transfer.v1</c>: pull, push, import, export and tag, done by the daemon.</summary>
internal sealed class TransferService(ServedStore store, Tenants tenants, StreamTable streams, EventHub events) : V1.Transfer.TransferBase
{
    private static readonly string s_registry = OCIRegistry.Descriptor.FullName;
    private static readonly string s_stored = Stored.Descriptor.FullName;
    private static readonly string s_import = ImageImportStream.Descriptor.FullName;
    private static readonly string s_export = ImageExportStream.Descriptor.FullName;

    public override async Task<Empty> Transfer(V1.TransferRequest request, ServerCallContext context)
    {
        var (from, to) = (NameOf(request.Source), NameOf(request.Destination));
        var work = Work(from, to) ?? throw new ImageStoreException(
            ErrorKind.Unsupported,
            $"Nothing is moved from '{Printable.Of(from)}' to '{Printable.Of(to)}'.",
            "Images are, between a registry or an archive and the store, and within it.");
        var tenant = await tenants.ForWritingAsync(context).ConfigureAwait(false);
        var transfer = new TransferContext(
            store, tenant, Caller.Of(context), streams, events, request.Options?.ProgressStream ?? string.Empty);
        await work(transfer, request.Source, request.Destination, context.CancellationToken).ConfigureAwait(false);
        return new Empty();
    }

    private static Func<TransferContext, Any, Any, CancellationToken, Task>? Work(string from, string to) =>
        from == s_registry && to == s_stored ? (call, source, target, token) =>
            RegistryTransfers.PullAsync(call, OCIRegistry.Parser.ParseFrom(source.Value), StoredOf(target), token)
        : from == s_stored && to == s_registry ? (call, source, target, token) =>
            RegistryTransfers.PushAsync(call, StoredOf(source), OCIRegistry.Parser.ParseFrom(target.Value), token)
        : from == s_import && to == s_stored ? (call, source, target, token) =>
            ArchiveTransfers.ImportAsync(call, ImageImportStream.Parser.ParseFrom(source.Value), StoredOf(target), token)
        : from == s_stored && to == s_export ? (call, source, target, token) =>
            ArchiveTransfers.ExportAsync(call, StoredOf(source), ImageExportStream.Parser.ParseFrom(target.Value), token)
        : from == s_stored && to == s_stored ? (call, source, target, token) =>
            TagAsync(call, StoredOf(source), StoredOf(target), token)
        : null;

    private static Task TagAsync(TransferContext call, Stored from, Stored to, CancellationToken cancellationToken) =>
        call.NameAsync(to, call.Transfers.Find(from.Name).Target, cancellationToken);

    private static Stored StoredOf(Any any)
    {
        var image = Stored.Parser.ParseFrom(any.Value);
        TransferContext.Checked(image.ExtraReferences);
        return image;
    }

    private static string NameOf(Any? any) => any is null ? string.Empty : any.TypeUrl[(any.TypeUrl.LastIndexOf('/') + 1)..];
}
