using System.Globalization;

namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>Counts what was tried and what was wrong, and keeps the first failures in words; several threads may use it.</summary>
internal sealed class Tally
{
    private const int MaxTold = 12;

    private readonly Lock _gate = new();
    private readonly List<string> _told = [];
    private readonly SortedDictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly SortedDictionary<FindingKind, int> _kinds = [];
    private int _failures;

    /// <summary>Counts something under a name.</summary>
    public void Count(string name, int number = 1)
    {
        lock (_gate)
        {
            _counts[name] = _counts.GetValueOrDefault(name) + number;
        }
    }

    public int Of(string name)
    {
        lock (_gate)
        {
            return _counts.GetValueOrDefault(name);
        }
    }

    /// <summary>Counts a case in which something was wrong.</summary>
    public void Fail(IReadOnlyCollection<Finding> findings, Func<string> tell)
    {
        lock (_gate)
        {
            _failures++;
            foreach (var kind in findings.Select(finding => finding.Kind).Distinct())
            {
                _kinds[kind] = _kinds.GetValueOrDefault(kind) + 1;
            }

            if (_told.Count >= MaxTold && Settings.Keep is null)
            {
                return;
            }

            var text = $"{string.Join("\n", findings.Select(finding => $"  {finding}"))}\n{tell()}";
            if (_told.Count < MaxTold)
            {
                _told.Add(text);
            }

            if (Settings.Keep is { } folder)
            {
                Directory.CreateDirectory(folder);
                File.AppendAllText(Path.Combine(folder, "failures.txt"), text + "\n\n");
            }
        }
    }

    /// <summary>Writes one line a figure, as the benches read them, and fails the test when something was wrong.</summary>
    public void Tell(ITestOutputHelper output)
    {
        foreach (var (name, count) in _counts)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"figure {name}: {count}"));
        }

        foreach (var kind in Enum.GetValues<FindingKind>())
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"figure failed, {kind}: {_kinds.GetValueOrDefault(kind)}"));
        }

        Assert.True(_counts.Count > 0 || Settings.Only is not null, "Nothing was tried.");
        Assert.True(_failures == 0, string.Create(CultureInfo.InvariantCulture, $"{_failures} failed; the first:\n{string.Join("\n\n", _told)}"));
    }
}
