using System.Net.Http.Headers;
using System.Text;

namespace ImageStore.Distribution.Auth;

/// <summary>What one registry accepts from us. Its text never shows a secret.</summary>
internal sealed class Credential
{
    /// <summary>The user name that marks a helper's secret as an identity token.</summary>
    public const string TokenUser = "<token>";

    public string? Username { get; init; }

    public string? Password { get; init; }

    public string? IdentityToken { get; init; }

    public string? RegistryToken { get; init; }

    /// <summary>Who it is for, without the secret.</summary>
    public string Describe() => Username is not null ? $"user {Store.Errors.Printable.Of(Username)}"
        : IdentityToken is not null ? "an identity token"
        : "a registry token";

    public AuthenticationHeaderValue? Basic() => Username is null || Password is null
        ? null
        : new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{Password}")));

    /// <summary>A user's name and secret, as a helper or file gives them.</summary>
    public static Credential Of(string username, string secret) => username == TokenUser
        ? new() { IdentityToken = secret }
        : new() { Username = username, Password = secret };
}
