using ImageStore.Daemon.Protocol.EventsV1;
using ImageStore.Daemon.Protocol.NamespacesV1;
using ImageStore.Daemon.Protocol.StoreV1;

namespace ImageStore.Daemon.Authorization;

/// <summary>The namespace that a request names itself.</summary>
internal static class NamedNamespace
{
    /// <summary>Its name; empty where the request names none.</summary>
    public static string Of(object? request) => request switch
    {
        GetNamespaceRequest one => one.Name,
        Protocol.NamespacesV1.CreateNamespaceRequest one => one.Namespace?.Name,
        UpdateNamespaceRequest one => one.Namespace?.Name,
        DeleteNamespaceRequest one => one.Name,
        Protocol.StoreV1.CreateNamespaceRequest one => one.Namespace,
        LimitRequest one => one.Namespace,
        ForwardRequest one => one.Envelope?.Namespace,
        _ => null,
    } ?? string.Empty;
}
