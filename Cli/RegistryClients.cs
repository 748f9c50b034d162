using ImageStore.Distribution.Registry;

namespace ImageStore.Cli;

/// <summary>Makes the registry client of a verb.</summary>
internal static class RegistryClients
{
    private const string HostsVariable = "IMAGESTORE_HOSTS_DIR";

    public static RegistryClient Make(Session session, bool plainHttp) => new(Options(session, plainHttp));

    /// <summary>How registries are spoken to, as the command line and the environment say.</summary>
    public static RegistryOptions Options(Session session, bool plainHttp) => new()
    {
        PlainHttp = plainHttp,
        MaxBytesPerSecond = session.Value(GlobalOptions.LimitRate) is { } text ? ByteRate.Parse(text) : null,
        HostsDirectories = Environment.GetEnvironmentVariable(HostsVariable) is { Length: > 0 } directories
            ? directories.Split(':', StringSplitOptions.RemoveEmptyEntries)
            : null,
    };
}
