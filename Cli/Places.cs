using ImageStore.Cli.Output;
using ImageStore.Distribution.Registry;
using ImageStore.Engine;
using ImageStore.Engine.Transfer;

namespace ImageStore.Cli;

/// <summary>Opens places for a command: an archive called <c>-</c> is its standard input or output.</summary>
internal static class Places
{
    public static PlaceOpener Opener(RegistryClient registry, StoreEngine? engine) =>
        new(registry, engine, Console.OpenStandardInput, static () => new StandardOutput());
}
