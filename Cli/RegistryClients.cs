using ImageStore.Distribution.Registry;

namespace ImageStore.Cli;

/// <summary>Makes the registry client of a verb that needs no store.</summary>
internal static class RegistryClients
{
    public static RegistryClient Make(bool plainHttp) => new(new RegistryOptions { PlainHttp = plainHttp });
}
