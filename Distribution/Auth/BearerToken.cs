using System.Net.Http.Headers;

namespace ImageStore.Distribution.Auth;

/// <summary>A token and when it ends.</summary>
internal sealed record BearerToken(AuthenticationHeaderValue Header, DateTimeOffset Expires);
