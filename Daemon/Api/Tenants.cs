using Grpc.Core;
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
    /// <exception cref="ImageStoreException">It names none (<see cref="ErrorKind.FailedPrecondition"/>), or a malformed one
    /// (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static string NamespaceOf(ServerCallContext context) =>
        context.RequestHeaders.GetValue(NamespaceHeader) is { Length: > 0 } name
            ? NamespaceName.Check(name)
            : throw new ImageStoreException(
                ErrorKind.FailedPrecondition, "A namespace is required.", $"Clients name it in the header {NamespaceHeader}.");

    /// <summary>What the namespace of a call has.</summary>
    public Tenant Of(ServerCallContext context) => store.Tenant(NamespaceOf(context));

    /// <summary>The same for a call that puts something into it: it is made where it is not there.</summary>
    public async Task<Tenant> ForWritingAsync(ServerCallContext context)
    {
        var name = NamespaceOf(context);
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
