using Grpc.Core;
using ImageStore.Daemon.Authorization;
using ImageStore.Engine.Configuration;
using ImageStore.Engine.Serving;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Leases;
using ImageStore.Store.Namespaces;

namespace ImageStore.Daemon.Api;

/// <summary>What the headers of a call say: in which namespace it works, and which lease keeps what it makes.</summary>
internal sealed class Tenants(ServedStore store)
{
    public const string NamespaceHeader = "containerd-namespace";
    public const string LeaseHeader = "containerd-lease";

    /// <summary>The namespace of a call.</summary>
    /// <exception cref="ImageStoreException">It names none (<see cref="ErrorKind.FailedPrecondition"/>), a malformed one or several
    /// (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static string NamespaceOf(ServerCallContext context)
    {
        string? name = null;
        foreach (var header in context.RequestHeaders)
        {
            if (header.Key == NamespaceHeader)
            {
                // Whoever checks one of two and works in the other can be deceived.
                name = name is null ? header.Value : throw new ImageStoreException(
                    ErrorKind.InvalidArgument, "The call names several namespaces.", $"Send the header {NamespaceHeader} once.");
            }
        }

        return name is { Length: > 0 } ? NamespaceName.Check(name) : throw new ImageStoreException(
            ErrorKind.FailedPrecondition, "A namespace is required.", $"Clients name it in the header {NamespaceHeader}.");
    }

    /// <summary>What the namespace of a call has.</summary>
    public Tenant Of(ServerCallContext context) => store.Tenant(NamespaceOf(context));

    /// <summary>The same for a call that puts something into it: it is made where it is not there.</summary>
    /// <exception cref="ImageStoreException">It is not there, and the caller may not make it (<see cref="ErrorKind.PermissionDenied"/>).</exception>
    public async Task<Tenant> ForWritingAsync(ServerCallContext context)
    {
        var (name, caller) = (NamespaceOf(context), Caller.Of(context));

        // A namespace has its limits from whoever makes it: one that comes to be by the way has none.
        if (!caller.May(name, AccessRights.Administer) && store.Namespaces.Find(name) is null)
        {
            throw Denial.Of(caller, context.Method, name, AccessRights.Administer);
        }

        await store.Namespaces.EnsureAsync(name, context.CancellationToken).ConfigureAwait(false);
        return store.Tenant(name);
    }

    /// <summary>The lease of a call, or null.</summary>
    /// <exception cref="ImageStoreException">The lease that it names is not there (<see cref="ErrorKind.NotFound"/>).</exception>
    public static Lease? LeaseOf(ServerCallContext context, Tenant tenant) =>
        context.RequestHeaders.GetValue(LeaseHeader) is not { Length: > 0 } id
            ? null
            : tenant.Leases.Find(id) ?? throw MissingLease(id);

    /// <summary>The error for a lease that is not there.</summary>
    public static ImageStoreException MissingLease(string id) =>
        new(ErrorKind.NotFound, $"There is no lease {Printable.Of(id)} in this namespace.");
}
