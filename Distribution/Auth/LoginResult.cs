namespace ImageStore.Distribution.Auth;

/// <summary>What came of a login.</summary>
/// <param name="Registry">The registry.</param>
/// <param name="Verified">Did the registry take the credentials? False where it asks for none.</param>
/// <param name="KeptIn">The file or the helper that has them now.</param>
public sealed record LoginResult(string Registry, bool Verified, string KeptIn);
