using System.Text.Json;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>The program on one root, in one boot of the machine.</summary>
internal sealed class StoreCli(string root, Boot boot)
{
    public string Root => root;

    public Boot Boot => boot;

    public string Blobs => Path.Combine(root, "content/blobs/sha256");

    public string Ingests => Path.Combine(root, "content/ingest");

    /// <summary>The command line within the boot; errors come without progress.</summary>
    public IReadOnlyList<string> CommandLine(string @namespace, params IEnumerable<string> arguments) =>
        [.. boot.Account.Prefix, boot.Account.Program, "--root", root, "--namespace", @namespace, "--quiet", .. arguments];

    public Task<Run.Result> TryAsync(string @namespace, params IEnumerable<string> arguments) =>
        boot.RunAsync(CommandLine(@namespace, arguments));

    /// <summary>Starts a command, and does not wait for it; gives its process id.</summary>
    public Task<int> StartAsync(string @namespace, IReadOnlyList<string> arguments, string errors) =>
        boot.StartAsync(CommandLine(@namespace, arguments), errors);

    /// <summary>What a command writes as JSON.</summary>
    /// <exception cref="CommandException">It failed.</exception>
    public async Task<JsonElement> JsonAsync(string @namespace, params string[] arguments)
    {
        var result = await TryAsync(@namespace, ["--format", "json", .. arguments]);
        if (result.ExitCode != 0)
        {
            throw new CommandException($"'{string.Join(' ', arguments)}' in {@namespace} ended with {result.ExitCode}: {result.Error.Trim()}");
        }

        try
        {
            using var document = JsonDocument.Parse(result.Output);
            return document.RootElement.Clone();
        }
        catch (JsonException failure)
        {
            throw new CommandException($"'{string.Join(' ', arguments)}' in {@namespace} wrote no JSON: {failure.Message}");
        }
    }
}
