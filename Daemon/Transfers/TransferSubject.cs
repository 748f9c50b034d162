using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Daemon.Protocol.Transfers;
using Stored = ImageStore.Daemon.Protocol.Transfers.ImageStore;
using V1 = ImageStore.Daemon.Protocol.TransferV1;

namespace ImageStore.Daemon.Transfers;

/// <summary>What a transfer is about, in a line, without what anybody's credentials are.</summary>
internal static class TransferSubject
{
    /// <summary>From what to what; null where the request does not say.</summary>
    public static string? Of(V1.TransferRequest request)
    {
        var (from, to) = (Side(request.Source), Side(request.Destination));
        return from.Length + to.Length > 0 ? $"{from} -> {to}" : null;
    }

    private static string Side(Any? any)
    {
        if (any is null)
        {
            return string.Empty;
        }

        try
        {
            return any.TypeUrl[(any.TypeUrl.LastIndexOf('/') + 1)..] switch
            {
                var name when name == OCIRegistry.Descriptor.FullName => OCIRegistry.Parser.ParseFrom(any.Value).Reference,
                var name when name == Stored.Descriptor.FullName => Names(Stored.Parser.ParseFrom(any.Value)),
                var name => name,
            };
        }
        catch (InvalidProtocolBufferException)
        {
            // Then the call itself ends with that.
            return any.TypeUrl;
        }
    }

    private static string Names(Stored image) =>
        image.Name.Length > 0 ? image.Name : image.ExtraReferences.FirstOrDefault()?.Name ?? "the store";
}
