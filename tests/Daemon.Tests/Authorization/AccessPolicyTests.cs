using ImageStore.Daemon.Authorization;
using ImageStore.Engine.Configuration;
using ImageStore.Store.Configuration;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Tests.Authorization;

public sealed class AccessPolicyTests
{
    [Theory]
    [InlineData(0u, 1000u, true)]
    [InlineData(1000u, 1000u, true)]
    [InlineData(1001u, 1000u, false)]
    [InlineData(1001u, 0u, false)]
    [InlineData(null, null, false)]
    [InlineData(null, 0u, false)]
    [InlineData(1001u, null, false)]
    public void CallerOf_WithoutRules_IsKnownWhenRootOrTheDaemonsOwn(uint? user, uint? own, bool known)
    {
        var caller = AccessPolicy.Of([], own).CallerOf(user is { } id ? new Peer(id, id, 1, []) : null);
        Assert.Equal((known, known), (caller.IsKnown, caller.MayEverything));
        Assert.Equal(known, caller.May("any", AccessRights.Administer));
    }

    [Theory]
    [InlineData(1001u, 1u, 2u, true)] // the user
    [InlineData(7u, 5005u, 2u, true)] // its first group
    [InlineData(7u, 1u, 5005u, true)] // another of its groups
    [InlineData(5005u, 1001u, 1001u, false)] // a user is no group, and the other way round
    public void CallerOf_ARule_HasWhomItNames(uint user, uint group, uint beside, bool known)
    {
        var caller = AccessPolicy.Of([Rule(AccessRights.Read, "a")], 0).CallerOf(new Peer(user, group, 1, [beside]));
        Assert.Equal(known, caller.IsKnown);
        Assert.Equal(known, caller.May("a", AccessRights.Read));
        Assert.False(caller.MayEverything);
    }

    [Fact]
    public void May_SeveralRules_AddUpEachInItsOwnNamespaces()
    {
        var caller = AccessPolicy.Of([Rule(AccessRights.Read, "a", "ci-*"), Rule(AccessRights.Write | AccessRights.Read, "b")], 0)
            .CallerOf(new Peer(1001, 1001, 1, []));
        Assert.True(caller.May("a", AccessRights.Read));
        Assert.True(caller.May("ci-7", AccessRights.Read));
        Assert.True(caller.May("b", AccessRights.Write));
        Assert.False(caller.May("a", AccessRights.Write));
        Assert.False(caller.May("ci-7", AccessRights.Write));
        Assert.False(caller.May("b", AccessRights.Administer));
        Assert.False(caller.May("ci", AccessRights.Read));
        Assert.False(caller.May("A", AccessRights.Read));
        Assert.False(caller.May("aa", AccessRights.Read));
        Assert.False(caller.May(string.Empty, AccessRights.Read));
    }

    [Theory]
    [InlineData("no-such-user", "there is no user 'no-such-user'")]
    [InlineData("65534", "stands for whomever")]
    [InlineData("nobody", "stands for whomever")]
    public void Of_AUserWhoIsNone_NamesTheLine(string user, string why)
    {
        var failure = Assert.Throws<ImageStoreException>(() => AccessPolicy.Of([Rule(AccessRights.Read, [Name(user)], [], "a")], 0));
        Assert.StartsWith("/etc/x.toml, line 7: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_AGroupThatIsNone_NamesTheLine() => Assert.Contains(
        "line 7: there is no group 'no-such-group'",
        Assert.Throws<ImageStoreException>(() => AccessPolicy.Of([Rule(AccessRights.Read, [], [Name("no-such-group")], "a")], 0)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Of_Names_AreLookedUp()
    {
        // Every Linux has the user and the group daemon, with the number 1 on Debian and its like and 2 on others.
        var policy = AccessPolicy.Of([Rule(AccessRights.Read, [Name("daemon")], [Name("sys")], "a")], 0);
        var (user, group) = (IdOf("/etc/passwd", "daemon"), IdOf("/etc/group", "sys"));
        Assert.True(policy.CallerOf(new Peer(user, 9999, 1, [])).IsKnown);
        Assert.True(policy.CallerOf(new Peer(9999, group, 1, [])).IsKnown);
        Assert.False(policy.CallerOf(new Peer(9999, 9999, 1, [])).IsKnown);
    }

    private static uint IdOf(string file, string name) =>
        uint.Parse(File.ReadLines(file).First(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Split(':')[2]);

    private static AccessRule Rule(AccessRights rights, params string[] namespaces) => Rule(rights, [Id(1001)], [Id(5005)], namespaces);

    private static AccessRule Rule(AccessRights rights, AccountName[] users, AccountName[] groups, params string[] namespaces) => new()
    {
        Users = users, Groups = groups, Rights = rights, Namespaces = [.. namespaces.Select(name => NamespacePattern.Parse(name)!)],
    };

    private static AccountName Id(uint id) => new(new TomlItem("/etc/x.toml", 7, (long)id), id);

    private static AccountName Name(string text) => new(new TomlItem("/etc/x.toml", 7, text), uint.TryParse(text, out var id) ? id : null);
}
