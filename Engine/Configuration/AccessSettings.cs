using ImageStore.Store.Configuration;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Configuration;

/// <summary>Reads <c>[[access]]</c>.</summary>
internal static class AccessSettings
{
    public static IReadOnlyList<AccessRule> Of(TomlItem? access) => access is null ? [] : [.. access.List.Select(Rule)];

    private static AccessRule Rule(TomlItem item)
    {
        var rule = item.Table;
        rule.Allow(key => key is "users" or "groups" or "namespaces" or "may");
        var (users, groups) = (Accounts(rule.Find("users")), Accounts(rule.Find("groups")));
        if (users.Count + groups.Count == 0)
        {
            throw item.Complaint("the rule names neither users nor groups");
        }

        return new AccessRule
        {
            Users = users,
            Groups = groups,
            Namespaces = [.. Required(item, "namespaces").Select(Pattern)],
            Rights = Required(item, "may").Select(Right).Aggregate((all, one) => all | one),
        };
    }

    private static IReadOnlyList<AccountName> Accounts(TomlItem? item) => item is null ? [] : [.. item.List.Select(AccountName.Of)];

    private static IReadOnlyList<TomlItem> Required(TomlItem rule, string key) => rule.Table.Find(key) is not { } item
        ? throw rule.Complaint($"the rule has no '{key}'")
        : item.List is { Count: > 0 } list ? list : throw item.Complaint($"'{key}' is empty");

    private static NamespacePattern Pattern(TomlItem item) => NamespacePattern.Parse(item.Text) ?? throw item.Complaint(
        $"'{Printable.Of(item.Text)}' is neither a namespace nor the beginning of one with a '*' after it");

    // What a call changes its answer shows, so that nothing goes without reading.
    private static AccessRights Right(TomlItem item) => item.Text switch
    {
        "read" => AccessRights.Read,
        "write" => AccessRights.Read | AccessRights.Write,
        "run" => AccessRights.Read | AccessRights.Run,
        "administer" => AccessRights.Read | AccessRights.Administer,
        _ => throw item.Complaint("a right is 'read', 'write', 'run' or 'administer'"),
    };
}
