using System.Security.Cryptography;
using System.Text;
using ImageStore.Daemon.Hosting;
using ImageStore.Engine;
using ImageStore.Engine.Configuration;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon;

/// <summary>What the program was started with; <c>imagestore daemon</c> has the help.</summary>
internal sealed record DaemonArguments
{
    /// <summary>The program's help.</summary>
    public const string Usage = "imagestored [--root DIR] [--config FILE] [--state DIR] [--address SOCKET]\n  'imagestore daemon --help' says more.";

    private const string SocketName = "imagestore.sock";
    private const int RootNameLength = 12;

    public string Root { get; private init; } = EngineOptions.DefaultRoot;

    public string? Config { get; private init; }

    public string? State { get; private init; }

    public string? Address { get; private init; }

    private static string StatesOfUser => Environment.IsPrivilegedProcess
        ? "/run/imagestore"
        : Path.Combine(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } folder ? folder : Path.GetTempPath(), "imagestore");

    // Each root has its own, since the containers in it are its own.
    private string DefaultState => StateFolder.RealPath(Root) is var root && root == StateFolder.RealPath(EngineOptions.DefaultRoot)
        ? StatesOfUser
        : Path.Combine(StatesOfUser, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(root)))[..RootNameLength]);

    /// <exception cref="ImageStoreException">An option is unknown or has no value (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static DaemonArguments Parse(IReadOnlyList<string> arguments)
    {
        var parsed = new DaemonArguments();
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count && arguments[i + 1].Length > 0 ? arguments[i + 1] : throw Wrong(arguments[i], "has no value");
            parsed = arguments[i] switch
            {
                "--root" => parsed with { Root = value },
                "--config" => parsed with { Config = value },
                "--state" => parsed with { State = value },
                "--address" => parsed with { Address = value },
                _ => throw Wrong(arguments[i], "is unknown"),
            };
        }

        return parsed;
    }

    /// <exception cref="ImageStoreException">The configuration has a mistake.</exception>
    public DaemonOptions ToOptions(Action<string> tell)
    {
        var state = Path.GetFullPath(State ?? DefaultState);
        return new DaemonOptions
        {
            Engine = new EngineOptions
            {
                Root = Root,
                Settings = SettingsFile.Load(Config, Root),
                OnWait = holder => tell($"imagestored: waiting for {holder}, which has the root"),
            },
            State = state,
            Address = Path.GetFullPath(Address ?? Path.Combine(state, SocketName)),
            Tell = line => tell($"imagestored: {line}"),
        };
    }

    private static ImageStoreException Wrong(string option, string why) => new(
        ErrorKind.InvalidArgument,
        $"wrong usage: {Printable.Of(option)} {why}.",
        $"Use {Usage}");
}
