using Grpc.Core;
using ImageStore.Engine.Configuration;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Authorization;

/// <summary>Who is at the other end of a connection, and what the rules let it do. It holds for as long as the connection does.</summary>
/// <param name="Peer">Who; null where the kernel does not tell.</param>
/// <param name="MayEverything">Is it root or the daemon's own user?</param>
/// <param name="Grants">Else, what it was given.</param>
internal sealed record Caller(Peer? Peer, bool MayEverything, IReadOnlyList<Grant> Grants)
{
    /// <summary>May it call at all?</summary>
    public bool IsKnown => MayEverything || Grants.Count > 0;

    /// <summary>The caller of a call.</summary>
    /// <exception cref="ImageStoreException">Nobody found out who it is (<see cref="ErrorKind.PermissionDenied"/>).</exception>
    public static Caller Of(ServerCallContext context) => context.GetHttpContext().Features.Get<Caller>()
        ?? throw new ImageStoreException(ErrorKind.PermissionDenied, "Nobody knows who calls.");

    /// <summary>May it do that in the namespace?</summary>
    public bool May(string @namespace, AccessRights right)
    {
        if (MayEverything)
        {
            return true;
        }

        for (var i = 0; i < Grants.Count; i++)
        {
            if (Grants[i].Gives(@namespace, right))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>How it is told of.</summary>
    public override string ToString() => Peer is { } known ? FormattableString.Invariant($"The user {known.User}") : "A caller that the kernel does not know";
}
