namespace ImageStore.Engine.Configuration;

/// <summary>Lets some callers do something in some namespaces of the daemon.</summary>
public sealed record AccessRule
{
    /// <summary>The users.</summary>
    public required IReadOnlyList<AccountName> Users { get; init; }

    /// <summary>The groups whose members it lets as well.</summary>
    public required IReadOnlyList<AccountName> Groups { get; init; }

    /// <summary>The namespaces.</summary>
    public required IReadOnlyList<NamespacePattern> Namespaces { get; init; }

    /// <summary>What they may do there.</summary>
    public required AccessRights Rights { get; init; }
}
