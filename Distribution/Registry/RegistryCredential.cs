namespace ImageStore.Distribution.Registry;

/// <summary>Gives what a registry accepts, or null to be anonymous.</summary>
/// <param name="registry">The registry's host, such as <c>registry.example.com:5000</c>.</param>
/// <param name="repository">The repository in it.</param>
/// <param name="cancellationToken">Ends the asking.</param>
public delegate Task<RegistryCredential?> RegistryCredentials(string registry, string repository, CancellationToken cancellationToken);

/// <summary>What a registry accepts from somebody.</summary>
/// <param name="Username">The name; null where the secret is an identity token, which is exchanged for access tokens.</param>
/// <param name="Secret">The password or identity token.</param>
public sealed record RegistryCredential(string? Username, string Secret)
{
    /// <summary>Without the secret.</summary>
    public override string ToString() => Username is null ? "an identity token" : $"user {Store.Errors.Printable.Of(Username)}";
}
