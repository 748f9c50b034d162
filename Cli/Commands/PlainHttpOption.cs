using System.CommandLine;

namespace ImageStore.Cli.Commands;

/// <summary>Makes the option for registries without TLS.</summary>
internal static class PlainHttpOption
{
    public static Option<bool> Make() =>
        new("--plain-http") { Description = "Plain HTTP; loopback registries get it by themselves" };
}
