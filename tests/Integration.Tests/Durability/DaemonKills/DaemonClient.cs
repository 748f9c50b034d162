using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Courses;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.DaemonKills;

/// <summary>Debian's ctr in one namespace, one command after the other, until the daemon is killed under it.</summary>
/// <param name="ns">Its namespace, which nobody else writes to.</param>
/// <param name="images">What it pulls.</param>
/// <param name="random">What it does next.</param>
internal sealed class DaemonClient(string ns, IReadOnlyList<TestImage> images, Random random)
{
    // ctr itself waits for ever for a daemon that died in the middle of some commands.
    private const string Timeout = "20s";
    private const int Tags = 3;
    private const int Leases = 3;

    private readonly Dictionary<string, string?> _facts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string?>> _open = new(StringComparer.Ordinal);
    private readonly HashSet<string> _snapshots = new(StringComparer.Ordinal);

    /// <summary>The commands that succeeded since the last look.</summary>
    public int Succeeded { get; private set; }

    /// <summary>What a root may be expected to have of it.</summary>
    public void Expect(Expectations expected, HashSet<string> snapshots)
    {
        foreach (var (key, value) in _facts)
        {
            expected.Allow(key, _open.TryGetValue(key, out var more) ? more.Append(value) : [value]);
        }

        snapshots.UnionWith(_snapshots);
    }

    /// <summary>What was seen is what is so.</summary>
    public void Settle(IReadOnlyDictionary<string, string> seen)
    {
        foreach (var key in _facts.Keys.ToList())
        {
            _facts[key] = seen.GetValueOrDefault(key);
        }

        _open.Clear();
        Succeeded = 0;
    }

    /// <summary>Runs commands until one fails.</summary>
    /// <returns>The one that failed, and what it said.</returns>
    public async Task<string> RunAsync(string socket)
    {
        while (true)
        {
            var (arguments, changes, unpacked) = Next();
            var keeps = changes.All(change => change.Value is not null && _facts.GetValueOrDefault(change.Key) is null);
            foreach (var (key, value) in changes)
            {
                _facts.TryAdd(key, null);
                _open[key] = [value];
            }

            if (!keeps)
            {
                // What a name stood for until now may be kept by nothing any more.
                _snapshots.Clear();
            }

            var result = await Run.TryAsync("ctr", ["-a", socket, "--timeout", Timeout, "--connect-timeout", "5s", "-n", ns, .. arguments]);
            if (result.ExitCode != 0)
            {
                return $"{string.Join(' ', arguments)} ({ns}): {result.Error.Trim()}";
            }

            foreach (var (key, value) in changes)
            {
                _facts[key] = value;
                _open.Remove(key);
            }

            _snapshots.UnionWith(unpacked);
            Succeeded++;
        }
    }

    private (string[] Arguments, IReadOnlyList<(string Key, string? Value)> Changes, IReadOnlyList<string> Unpacked) Next()
    {
        var image = images[random.Next(images.Count)];
        var names = Held(Facts.ImageKey(ns, string.Empty));
        var tag = $"tags.example/tag:{random.Next(Tags)}";
        var lease = $"lease{random.Next(Leases)}";
        return random.Next(8) switch
        {
            0 or 1 when names.Count > 0 => Remove(names[random.Next(names.Count)]),
            2 when names.Count > 0 && !names.Contains(tag) => Tag(names[random.Next(names.Count)], tag),
            3 or 4 => _facts.GetValueOrDefault(Facts.LeaseKey(ns, lease)) is null
                ? (["leases", "create", "--expires", "0", "--id", lease], [(Facts.LeaseKey(ns, lease), Facts.Yes)], [])
                : (["leases", "rm", lease], [(Facts.LeaseKey(ns, lease), null)], []),
            _ => (
                ["images", "pull", "--plain-http", image.Name],
                [(Facts.ImageKey(ns, image.Name), image.Manifest)],
                [.. image.Chain.Select(id => $"{ns} {id}")]),
        };
    }

    private List<string> Held(string prefix) =>
        [.. _facts.Where(fact => fact.Value is not null && fact.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(fact => fact.Key[prefix.Length..])];

    private (string[], IReadOnlyList<(string, string?)>, IReadOnlyList<string>) Remove(string name) =>
        (random.Next(2) == 0 ? ["images", "rm", name] : ["images", "rm", "--sync", name], [(Facts.ImageKey(ns, name), null)], []);

    private (string[], IReadOnlyList<(string, string?)>, IReadOnlyList<string>) Tag(string source, string tag) =>
        (["images", "tag", source, tag], [(Facts.ImageKey(ns, tag), _facts[Facts.ImageKey(ns, source)])], []);
}
