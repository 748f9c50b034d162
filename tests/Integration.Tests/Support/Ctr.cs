using System.Text.RegularExpressions;

namespace ImageStore.Integration.Tests.Support;

/// <summary>Debian's ctr at a socket; what is different each time is taken out of what it prints.</summary>
internal sealed partial class Ctr(string socket, string work)
{
    public string Work => work;

    /// <summary>Runs it; gives the exit code and what it printed.</summary>
    public async Task<string> RunAsync(params string[] arguments)
    {
        var result = await Run.TryAsync("ctr", ["-a", socket, .. arguments]);
        return $"{result.ExitCode}\n{Normalize(result.Output)}\n{NormalizeError(result.Error)}";
    }

    /// <summary>Runs it with <paramref name="input"/> on standard input.</summary>
    public async Task<string> RunWithInputAsync(string input, params string[] arguments)
    {
        var result = await Run.TryAsync("ctr", ["-a", socket, .. arguments], input: System.Text.Encoding.UTF8.GetBytes(input));
        return $"{result.ExitCode}\n{Normalize(result.Output)}\n{NormalizeError(result.Error)}";
    }

    private string Normalize(string text)
    {
        text = text.Replace(work, "WORK", StringComparison.Ordinal);
        text = Time().Replace(text, "TIME");
        text = Age().Replace(text, "AGE");
        text = SnapshotPath().Replace(text, "PATH");
        text = Rate().Replace(text, "RATE");
        var lines = text.Split('\n', '\r').Where(line => !Progress().IsMatch(line)).Select(line => Sorted(line.TrimEnd()));
        return string.Join('\n', lines);
    }

    // Go's maps have another order each time.
    private static string Sorted(string line) =>
        Labels().IsMatch(line) ? string.Join(',', line.Split(',').Order(StringComparer.Ordinal)) : line;

    // The words of an error are ours; its class, which ctr adds, is containerd's.
    private static string NormalizeError(string text) =>
        string.Join('\n', text.Split('\n').Where(line => line.StartsWith("ctr: ", StringComparison.Ordinal)).Select(line => line[(line.LastIndexOf(": ", StringComparison.Ordinal) + 2)..]));

    [GeneratedRegex(@"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*( \+0000 UTC|Z)?")]
    private static partial Regex Time();

    [GeneratedRegex(@"(Less than a second|About a minute|\d+ (second|minute)s?)")]
    private static partial Regex Age();

    [GeneratedRegex(@"/[^ ,:""=]*/(snapshots|io\.containerd\.snapshotter\.v1\.overlayfs)/[^ ,:""]*")]
    private static partial Regex SnapshotPath();

    [GeneratedRegex(@"^[^\s,=]+=[^\s,]*(,[^\s,=]+=[^\s,]*)+$")]
    private static partial Regex Labels();

    [GeneratedRegex(@"done: [\d.]+m?s")]
    private static partial Regex Rate();

    [GeneratedRegex(@"^(manifest|layer|config|index)-sha256:|elapsed:|resolved       \||\x1b")]
    private static partial Regex Progress();
}
