using System.Net;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Registry;

/// <summary>Keeps why each host did not serve, so that the last word is not the only one.</summary>
internal sealed class HostFailures(ImageReference reference, int hosts)
{
    private readonly List<(RegistryHost Host, ImageStoreException Failure, HttpStatusCode? Status)> _all = [];

    public bool Any => _all.Count > 0;

    /// <summary>Might another host have what this one refuses?</summary>
    public static bool CanOthersHelp(Reply reply) => (int)reply.Status is 401 or 403 or 404 or 408 or 429 or >= 500;

    public static bool CanOthersHelp(ImageStoreException failure) => failure.Kind is
        ErrorKind.Unavailable or ErrorKind.Unauthenticated or ErrorKind.PermissionDenied
        or ErrorKind.TooManyRequests or ErrorKind.NotFound or ErrorKind.LimitExceeded;

    public void Add(RegistryHost host, Reply reply) =>
        _all.Add((host, ErrorReply.ToException(reply, host.Origin.Authority), reply.Status));

    public void Add(RegistryHost host, ImageStoreException failure) => _all.Add((host, failure, null));

    /// <summary>Did all that were asked before say the same? Then the last answer speaks for all.</summary>
    public bool AllAre(HttpStatusCode status) => _all.All(entry => entry.Status == status);

    public ImageStoreException ToException()
    {
        // The registry itself was asked last, and of it most is known; that something is missing only all together can say.
        var telling = _all.FindLast(entry => entry.Failure.Kind != ErrorKind.NotFound).Failure ?? _all[^1].Failure;
        return new ImageStoreException(
            telling.Kind,
            $"{reference.RepositoryName}: none of {hosts} hosts serves: "
                + string.Join("; ", _all.Select(entry => $"{Origin(entry.Host)}: {entry.Failure.Message.TrimEnd('.')}")) + ".",
            telling.Remedy,
            telling);
    }

    private static string Origin(RegistryHost host) => Printable.Of(host.Origin.GetLeftPart(UriPartial.Authority));
}
