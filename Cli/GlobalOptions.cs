using System.CommandLine;
using ImageStore.Cli.Completion;

namespace ImageStore.Cli;

/// <summary>The options that stand before the verb, and may stand after it.</summary>
internal static class GlobalOptions
{
    /// <summary>The environment's word for the root directory.</summary>
    public const string RootVariable = "IMAGESTORE_ROOT";

    public static Option<string> Root { get; } = new("--root")
    {
        Description = "The root directory [env: IMAGESTORE_ROOT]",
        Recursive = true,
        DefaultValueFactory = _ => FromEnvironment(RootVariable) ?? Engine.EngineOptions.DefaultRoot,
        HelpName = "DIR",
    };

    public static Option<string> Namespace { get; } = new("--namespace", "-n")
    {
        Description = "The namespace [env: IMAGESTORE_NAMESPACE]",
        Recursive = true,
        DefaultValueFactory = _ => FromEnvironment("IMAGESTORE_NAMESPACE") ?? "default",
        HelpName = "NS",
        CompletionSources = { DynamicValues.Namespaces },
    };

    public static Option<string> Config { get; } = new("--config")
    {
        Description = "The configuration; else the root's config.toml, if it has one [env: IMAGESTORE_CONFIG]",
        Recursive = true,
        DefaultValueFactory = _ => FromEnvironment("IMAGESTORE_CONFIG")!,
        HelpName = "FILE",
    };

    public static Option<string> Format { get; } = MakeFormat();

    public static Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "No progress, results only", Recursive = true };

    public static Option<bool> Debug { get; } = new("--debug")
    {
        Description = "Show where an error came from [env: IMAGESTORE_DEBUG=1]",
        Recursive = true,
        DefaultValueFactory = _ => FromEnvironment("IMAGESTORE_DEBUG") is not (null or "0"),
    };

    public static Option<string> LimitRate { get; } = new("--limit-rate")
    {
        Description = "The most bytes a second to and from registries, such as 10M [env: IMAGESTORE_LIMIT_RATE]",
        Recursive = true,
        DefaultValueFactory = _ => FromEnvironment("IMAGESTORE_LIMIT_RATE")!,
        HelpName = "RATE",
    };

    private static string? FromEnvironment(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static Option<string> MakeFormat()
    {
        var option = new Option<string>("--format")
        {
            Description = "How results are written", Recursive = true, DefaultValueFactory = _ => "table", HelpName = "table|json",
        };
        option.AcceptOnlyFromAmong("table", "json");
        return option;
    }
}
