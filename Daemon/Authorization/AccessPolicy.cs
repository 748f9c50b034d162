using System.Globalization;
using ImageStore.Engine.Configuration;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Daemon.Authorization;

/// <summary>The rules with all names looked up: who may do what in which namespace.</summary>
/// <remarks>Root and the daemon's own user may do everything, and nobody else anything that no rule gives.</remarks>
internal sealed class AccessPolicy
{
    private readonly uint? _own;
    private readonly Rule[] _rules;

    private AccessPolicy(uint? own, Rule[] rules) => (_own, _rules) = (own, rules);

    /// <summary>Looks the names up.</summary>
    /// <exception cref="ImageStoreException">There is nobody of a name: the message has file and line.</exception>
    public static AccessPolicy Of(IReadOnlyList<AccessRule> rules) => Of(rules, OwnUser());

    /// <param name="rules">The rules.</param>
    /// <param name="own">The daemon's own user.</param>
    internal static AccessPolicy Of(IReadOnlyList<AccessRule> rules, uint? own) => new(
        own,
        [.. rules.Select(rule => new Rule(
            [.. rule.Users.Select(AccountId.OfUser)], [.. rule.Groups.Select(AccountId.OfGroup)], new Grant(rule.Namespaces, rule.Rights)))]);

    /// <summary>What the one at the other end of a connection may do.</summary>
    public Caller CallerOf(Peer? peer) => peer switch
    {
        null => new Caller(null, MayEverything: false, []),
        { User: 0 } => new Caller(peer, MayEverything: true, []),
        _ when peer.User == _own => new Caller(peer, MayEverything: true, []),
        _ => new Caller(peer, MayEverything: false, [.. _rules.Where(rule => rule.Names(peer)).Select(rule => rule.Grant)]),
    };

    private static uint? OwnUser() => FileMetadata.TryGet(string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}"))?.Uid;

    private sealed record Rule(uint[] Users, uint[] Groups, Grant Grant)
    {
        public bool Names(Peer peer) => Users.Contains(peer.User) || Groups.Contains(peer.Group) || Groups.Any(peer.Groups.Contains);
    }
}
